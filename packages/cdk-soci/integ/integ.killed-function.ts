// A function that is killed: the second one responds, and the update rolls back in minutes with the cause in the event.
import { ExpectedResult, Match } from '@aws-cdk/integ-tests-alpha'
import { CfnCondition, Fn } from 'aws-cdk-lib'
import type { CfnFunction } from 'aws-cdk-lib/aws-lambda'
import { SociIndexV2Build } from 'cdk-soci'
import { exampleImage, expectIndexed, integTest, parameter, updateStack } from './support.ts'

const { stack, integ } = integTest('KilledFunction')
const image = exampleImage(stack, 'Image')
const heap = parameter(stack, 'Heap', 'as it is')
const index = new SociIndexV2Build(stack, 'Index', {
  repository: image.repository,
  inputImageTag: image.imageTag,
  refresh: heap.valueAsString, // has the image read again
})

// With a heap of a few MiB, Node aborts itself as it does where there is no memory left
const isSmall = new CfnCondition(stack, 'IsSmall', {
  expression: Fn.conditionNot(Fn.conditionEquals(heap.valueAsString, 'as it is')),
})
const indexer = stack.node
  .findAll()
  .find(({ node }) => /SociIndexLambda\w+\/Function\/Resource$/.test(node.path)) as CfnFunction
indexer.addPropertyOverride('Environment', {
  'Fn::If': [
    isSmall.logicalId,
    { Variables: { NODE_OPTIONS: `--max-old-space-size=${heap.valueAsString}` } },
    { Ref: 'AWS::NoValue' },
  ],
})

const deployed = expectIndexed(integ, index.repository.repositoryName, index.outputImageTag)
updateStack(integ, deployed, heap, '16', 'UPDATE_ROLLBACK_COMPLETE').next(
  integ.assertions.awsApiCall('CloudFormation', 'describeStackEvents', { StackName: stack.stackName }).expect(
    ExpectedResult.objectLike({
      StackEvents: Match.arrayWith([
        Match.objectLike({ ResourceStatusReason: Match.stringLikeRegexp('the function ran out of memory') }),
      ]),
    }),
  ),
)
