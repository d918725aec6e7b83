import { Duration } from 'aws-cdk-lib'
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch'
import * as cloudwatch_actions from 'aws-cdk-lib/aws-cloudwatch-actions'
import * as events from 'aws-cdk-lib/aws-events'
import * as targets from 'aws-cdk-lib/aws-events-targets'
import type * as lambda from 'aws-cdk-lib/aws-lambda'
import type * as logs from 'aws-cdk-lib/aws-logs'
import type * as sqs from 'aws-cdk-lib/aws-sqs'
import { Construct } from 'constructs'
import { indexStateMachine } from './private/index-state-machine'
import { onPushFunction } from './private/on-push-function'
import { onPushOptions } from './private/on-push-options'
import { pushPattern } from './private/push-pattern'
import { PushQueue } from './private/push-queue'
import { type SociIndexOnPushProps, SociIndexVersion } from './soci-index-on-push-options'

const METRICS_NAMESPACE = 'Sociable'
const EXECUTION_TIMEOUT = Duration.hours(2)
const MAP_CONCURRENCY = 40

/**
 * Gives images a SOCI index when they are pushed to Amazon ECR, whoever pushes them. By default they become SOCI-enabled images with the tag
 * `<tag>-soci` in the same repository.
 */
export class SociIndexOnPush extends Construct {
  /** Indexes images. */
  readonly handler: lambda.IFunction
  /** Has the log of the function. */
  readonly logGroup: logs.ILogGroup
  /** Pushes come through it. */
  readonly queue: sqs.IQueue
  /** Has the pushes that failed for good. */
  readonly deadLetterQueue: sqs.IQueue
  /** In alarm while the dead-letter queue has messages. */
  readonly alarm: cloudwatch.Alarm
  private readonly metricsNamespace: string

  constructor(scope: Construct, id: string, props: SociIndexOnPushProps = {}) {
    super(scope, id)
    const options = onPushOptions(this, props)
    const { indexVersion, timeout } = options
    const metricsNamespace = props.metricsNamespace ?? METRICS_NAMESPACE
    const queues = new PushQueue(this, 'Queue', { timeout, encryptionKey: props.encryptionKey })
    const { queue, deadLetterQueue } = queues
    const made = onPushFunction(this, props, options, queues, metricsNamespace)
    const toQueue = new targets.SqsQueue(queue)

    new events.Rule(this, 'Pushed', {
      description: 'Images that are pushed to Amazon ECR get a SOCI index (cdk-soci)',
      eventPattern: pushPattern(this, {
        filters: options.filters,
        outputTag: indexVersion === SociIndexVersion.V1 ? undefined : options.outputTag,
        replicatedImages: props.replicatedImages ?? false,
      }),
      targets: [toQueue],
    })
    if (options.reconcile)
      new events.Rule(this, 'Reconcile', {
        description: 'Looks for images without a SOCI index that Amazon ECR did not tell of (cdk-soci)',
        schedule: props.reconcileSchedule ?? events.Schedule.rate(Duration.days(1)),
        targets: [new targets.SqsQueue(queue, { message: events.RuleTargetInput.fromObject({ reconcile: true }) })],
      })
    if (made.machineName !== undefined) {
      const eventPattern = indexStateMachine(this, {
        name: made.machineName,
        comment: 'Builds the SOCI index of a large image that was pushed to Amazon ECR (cdk-soci)',
        function: made,
        maxConcurrency: Math.min(MAP_CONCURRENCY, props.reservedConcurrency ?? MAP_CONCURRENCY),
        timeout: EXECUTION_TIMEOUT.toSeconds(),
      })
      new events.Rule(this, 'Ended', {
        description: 'Tells when the SOCI index of a large image is ready, or failed (cdk-soci)',
        eventPattern: { ...eventPattern, source: [eventPattern.source], detailType: [eventPattern.detailType] },
        targets: [toQueue],
      })
    }
    this.alarm = new cloudwatch.Alarm(this, 'Alarm', {
      alarmDescription: `Images got no SOCI index: the messages of ${deadLetterQueue.queueName} say why`,
      metric: deadLetterQueue.metricApproximateNumberOfMessagesVisible({ statistic: 'Maximum' }),
      threshold: 1,
      comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      evaluationPeriods: 1,
      treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
    })
    if (props.alarmTopic !== undefined) {
      const action = new cloudwatch_actions.SnsAction(props.alarmTopic)
      this.alarm.addAlarmAction(action)
      this.alarm.addOkAction(action)
    }
    this.handler = made.handler
    this.logGroup = made.log.logGroup
    this.queue = queue
    this.deadLetterQueue = deadLetterQueue
    this.metricsNamespace = metricsNamespace
  }

  /**
   * A metric of the function: `Images` that were indexed, `Bytes` of their indexed layers (compressed), `Seconds` that took, `Failures` for good, `Retries`, and
   * `AgeOfOldestMessage` in seconds.
   */
  metric(metricName: string, props: cloudwatch.MetricOptions = {}): cloudwatch.Metric {
    return new cloudwatch.Metric({
      namespace: this.metricsNamespace,
      metricName,
      dimensionsMap: { FunctionName: this.handler.functionName },
      statistic: 'Sum',
      ...props,
    })
  }
}
