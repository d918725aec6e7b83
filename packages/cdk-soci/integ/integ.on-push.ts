// SociIndexOnPush: an image of CDK's assets repository gets a new tag, and its SOCI-enabled image follows.
import { Duration, Names } from 'aws-cdk-lib'
import { SociIndexOnPush } from 'cdk-soci'
import { exampleImage, expectIndexed, integTest } from './support.ts'

const { stack, integ } = integTest('OnPush')
const image = exampleImage(stack, 'Image')
const { repositoryName } = image.repository
// Tags of that repository are immutable, so each content has its own
const imageTag = `on-push-${image.imageTag.slice(0, 12)}`
new SociIndexOnPush(stack, 'OnPush', {
  filters: ['*:on-push-*'],
  metricsNamespace: Names.uniqueId(stack),
  reconcile: false,
})

const read = integ.assertions.awsApiCall('ECR', 'batchGetImage', {
  repositoryName,
  imageIds: [{ imageTag: image.imageTag }],
})
read
  .next(
    integ.assertions.awsApiCall('ECR', 'putImage', {
      repositoryName,
      imageTag,
      imageManifest: read.getAttString('images.0.imageManifest'),
    }),
  )
  .next(
    expectIndexed(integ, repositoryName, `${imageTag}-soci`).waitForAssertions({
      totalTimeout: Duration.minutes(10),
      interval: Duration.seconds(15),
    }),
  )
