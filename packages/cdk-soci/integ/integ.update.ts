// An update to another image, which takes away the former result (RemovalPolicy.DESTROY), and one to an image that does not exist, which rolls back.
import { RemovalPolicy } from 'aws-cdk-lib'
import { SociIndexV2Build } from 'cdk-soci'
import { exampleImage, expectGone, expectIndexed, integTest, parameter, updateStack } from './support.ts'

const { stack, integ } = integTest('Update')
const [one, two] = [exampleImage(stack, 'One'), exampleImage(stack, 'Two')]
const tag = parameter(stack, 'Tag', one.imageTag)
const { repository } = one
new SociIndexV2Build(stack, 'Index', {
  repository,
  inputImageTag: tag.valueAsString,
  outputImageTag: `${tag.valueAsString}-soci`,
  removalPolicy: RemovalPolicy.DESTROY,
})

const name = repository.repositoryName
const isThere = (image: typeof one) => expectIndexed(integ, name, `${image.imageTag}-soci`)
const updated = updateStack(integ, isThere(one), tag, two.imageTag, 'UPDATE_COMPLETE')
const replaced = updated.next(isThere(two)).next(expectGone(integ, name, `${one.imageTag}-soci`))
updateStack(integ, replaced, tag, 'no-such-tag', 'UPDATE_ROLLBACK_COMPLETE').next(isThere(two))
