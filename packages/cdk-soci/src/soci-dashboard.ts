import { Duration } from 'aws-cdk-lib'
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch'
import { Construct } from 'constructs'
import type { SociIndexOnPush } from './soci-index-on-push'

/** What a dashboard shows. */
export interface SociDashboardProps {
  readonly indexOnPush: SociIndexOnPush
  /** @default - a generated name */
  readonly dashboardName?: string
}

/** A CloudWatch dashboard for `SociIndexOnPush`: images, bytes and time of indexing, failures, and how long pushes wait. */
export class SociDashboard extends Construct {
  readonly dashboard: cloudwatch.Dashboard

  constructor(scope: Construct, id: string, props: SociDashboardProps) {
    super(scope, id)
    const { indexOnPush, dashboardName } = props
    const { queue, deadLetterQueue } = indexOnPush
    const period = Duration.minutes(5)
    const metric = (name: string, label: string, statistic = 'Sum') =>
      indexOnPush.metric(name, { label, statistic, period })
    const graph = (title: string, ...left: cloudwatch.IMetric[]) =>
      new cloudwatch.GraphWidget({ title, left, width: 8, height: 6 })
    this.dashboard = new cloudwatch.Dashboard(this, 'Dashboard', {
      ...(dashboardName !== undefined && { dashboardName }),
      widgets: [
        [
          graph('Images indexed', metric('Images', 'Images')),
          graph('Compressed bytes indexed', metric('Bytes', 'Bytes')),
          graph(
            'Seconds for an image',
            metric('Seconds', 'Average', 'Average'),
            metric('Seconds', 'Longest', 'Maximum'),
          ),
        ],
        [
          graph('Failures and retries', metric('Failures', 'Failures'), metric('Retries', 'Retries')),
          graph(
            'Seconds that the oldest push waits',
            queue.metricApproximateAgeOfOldestMessage({ label: 'In the queue', statistic: 'Maximum', period }),
            metric('AgeOfOldestMessage', 'When it was received', 'Maximum'),
          ),
          graph(
            'Pushes waiting and failed',
            queue.metricApproximateNumberOfMessagesVisible({ label: 'Waiting', statistic: 'Maximum', period }),
            deadLetterQueue.metricApproximateNumberOfMessagesVisible({
              label: 'In the dead-letter queue',
              statistic: 'Maximum',
              period,
            }),
          ),
        ],
      ],
    })
  }
}
