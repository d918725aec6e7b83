// 20 images in one deployment: they share a function, and those for which there is no concurrency left wait.
import { SociCompute, SociIndexV2Build } from 'cdk-soci'
import { exampleImage, expectIndexed, integTest } from './support.ts'

const { stack, integ } = integTest('TwentyImages')
const compute = SociCompute.lambdaFunction({ reservedConcurrency: 3 })
for (let at = 1; at <= 20; at++) {
  const image = exampleImage(stack, `Image${at}`)
  const index = SociIndexV2Build.fromDockerImageAsset(stack, `Index${at}`, image, { compute })
  expectIndexed(integ, index.repository.repositoryName, index.outputImageTag, index.imageDigest)
}
