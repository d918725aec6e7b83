import { LAMBDA_RETRY } from './state-machine'

export interface BackfillMachineProps {
  readonly functionArn: string
  readonly bucketName: string
  readonly maxConcurrency: number
}

/** The handler's own error, in which another try may succeed: a registry that is throttled or does not answer. */
const RETRY = [
  ...LAMBDA_RETRY,
  { ErrorEquals: ['StepError'], IntervalSeconds: 10, MaxAttempts: 4, BackoffRate: 3, JitterStrategy: 'FULL' },
]
const RUN = { 'run.$': '$$.Execution.Name' }

/**
 * The definition in Amazon States Language: what is to be indexed, as a list in S3; each image by a function of its own; and a summary. An image that fails
 * does not end the map: its failure is written down as its result. The execution fails at its end if an image did.
 */
export function backfillMachine({ functionArn, bucketName, maxConcurrency }: BackfillMachineProps): object {
  const task = { Type: 'Task', Resource: functionArn }
  return {
    Comment: 'Builds SOCI indexes for the images of Amazon ECR repositories (cdk-soci)',
    StartAt: 'List',
    States: {
      List: {
        ...task,
        Parameters: { step: 'list', ...RUN, 'input.$': '$$.Execution.Input' },
        Retry: LAMBDA_RETRY,
        ResultPath: '$.listed',
        Next: 'Any images',
      },
      'Any images': {
        Type: 'Choice',
        Choices: [{ Variable: '$.listed.images', NumericGreaterThan: 0, Next: 'Images' }],
        Default: 'Summary',
      },
      Images: {
        Type: 'Map',
        Label: 'Images',
        MaxConcurrency: maxConcurrency,
        ItemReader: {
          Resource: 'arn:aws:states:::s3:getObject',
          ReaderConfig: { InputType: 'JSON' },
          Parameters: { Bucket: bucketName, 'Key.$': "States.Format('runs/{}/images.json', $$.Execution.Name)" },
        },
        ItemSelector: { ...RUN, 'image.$': '$$.Map.Item.Value' },
        ItemProcessor: {
          ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' }, // EXPRESS ends after 5 minutes
          StartAt: 'Index',
          States: {
            Index: {
              ...task,
              Parameters: { step: 'index', 'run.$': '$.run', 'image.$': '$.image' },
              Retry: RETRY,
              Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: '$.failure', Next: 'Failed' }],
              End: true,
            },
            Failed: {
              ...task,
              Parameters: { step: 'failed', 'run.$': '$.run', 'image.$': '$.image', 'failure.$': '$.failure' },
              Retry: LAMBDA_RETRY,
              End: true,
            },
          },
        },
        ToleratedFailurePercentage: 100, // the summary tells of images without a result
        ResultPath: null,
        Next: 'Summary',
      },
      Summary: {
        ...task,
        Parameters: { step: 'summary', ...RUN, 'listed.$': '$.listed' },
        Retry: LAMBDA_RETRY,
        Next: 'All done',
      },
      'All done': {
        Type: 'Choice',
        Choices: [
          {
            And: [
              { Variable: '$.failed', NumericEquals: 0 },
              { Variable: '$.missing', NumericEquals: 0 },
            ],
            Next: 'Done',
          },
        ],
        Default: 'Images failed',
      },
      Done: { Type: 'Succeed' },
      'Images failed': {
        Type: 'Fail',
        Error: 'ImagesFailed',
        Cause: `Images failed: s3://${bucketName}/runs/EXECUTION-NAME/summary.json has the reasons. Run it again to try them again.`,
      },
    },
  }
}
