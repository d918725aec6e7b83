/** What the definition is made for. */
export interface StateMachine {
  readonly comment: string
  /** Does every step, and is told which. */
  readonly functionArn: string
  readonly maxConcurrency: number
  /** Seconds. */
  readonly timeout: number
}

/** Faults of Lambda itself, a policy that is too new for it, or too many functions at once ("Handle transient Lambda service exceptions"). */
export const LAMBDA_RETRY = [
  {
    ErrorEquals: [
      'Lambda.ServiceException',
      'Lambda.AWSLambdaException',
      'Lambda.SdkClientException',
      'Lambda.ClientExecutionTimeoutException',
      'Lambda.TooManyRequestsException',
    ],
    IntervalSeconds: 2,
    MaxAttempts: 6,
    BackoffRate: 2,
  },
]

/**
 * The definition in Amazon States Language: what is to be indexed, each layer by a function of its own, and the image of it. Its input is
 * `{event}`, CloudFormation's or a push; its output is the outcome. A layer that fails does not end the map, whose error would not tell which it was and why:
 * the last step does.
 */
export function stateMachine({ comment, functionArn, maxConcurrency, timeout }: StateMachine): object {
  const task = { Type: 'Task', Resource: functionArn, Retry: LAMBDA_RETRY }
  return {
    Comment: comment,
    TimeoutSeconds: timeout,
    StartAt: 'Plan',
    States: {
      Plan: {
        ...task,
        Parameters: { step: 'plan', 'event.$': '$.event' },
        ResultPath: '$.planned',
        Next: 'Done already',
      },
      'Done already': {
        Type: 'Choice',
        Choices: [{ Variable: '$.planned.done', IsPresent: true, Next: 'Nothing to do' }],
        Default: 'Layers',
      },
      'Nothing to do': { Type: 'Pass', OutputPath: '$.planned.done', End: true },
      Layers: {
        Type: 'Map',
        Label: 'Layers',
        MaxConcurrency: maxConcurrency,
        ItemsPath: '$.planned.plan.layers',
        ItemSelector: { 'event.$': '$.event', 'layer.$': '$$.Map.Item.Value' },
        ItemProcessor: {
          ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' }, // EXPRESS ends after 5 minutes
          StartAt: 'Index',
          States: {
            Index: {
              ...task,
              Parameters: { step: 'layer', 'event.$': '$.event', 'layer.$': '$.layer' },
              Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: '$.failed', Next: 'Failed' }],
              End: true,
            },
            Failed: {
              Type: 'Pass',
              Parameters: { 'digest.$': '$.layer.digest', 'failed.$': '$.failed' },
              End: true,
            },
          },
        },
        // Layers that fail are results: what fails here is the map itself, such as by a policy that is too new
        Retry: [{ ErrorEquals: ['States.ALL'], IntervalSeconds: 10, MaxAttempts: 3, BackoffRate: 2 }],
        ResultPath: '$.planned.plan.layers', // in place of what was to be done, as states may carry little
        Next: 'Assemble',
      },
      Assemble: {
        ...task,
        Parameters: { step: 'assemble', 'event.$': '$.event', 'plan.$': '$.planned.plan' },
        End: true,
      },
    },
  }
}
