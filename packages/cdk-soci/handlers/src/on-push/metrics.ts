import type { OnPushMetric } from '../../../src/private/on-push-environment.js'

type Unit = 'Count' | 'Bytes' | 'Seconds'

const UNITS: Readonly<Record<OnPushMetric, Unit>> = {
  Images: 'Count',
  Bytes: 'Bytes',
  Seconds: 'Seconds',
  Failures: 'Count',
  Retries: 'Count',
  AgeOfOldestMessage: 'Seconds',
}

/**
 * Writes metrics in CloudWatch's embedded metric format ("Specification: Embedded metric format" in its user guide). Not through the console, which puts a
 * prefix before the line.
 */
export function writeMetrics(
  namespace: string | undefined,
  functionName: string,
  values: Partial<Record<OnPushMetric, number>>,
): void {
  const names = Object.keys(values) as OnPushMetric[]
  if (namespace === undefined || names.length === 0) return
  const Metrics = names.map((Name) => ({ Name, Unit: UNITS[Name] }))
  const line = {
    _aws: {
      Timestamp: Date.now(),
      CloudWatchMetrics: [{ Namespace: namespace, Dimensions: [['FunctionName']], Metrics }],
    },
    FunctionName: functionName,
    ...values,
  }
  process.stdout.write(`${JSON.stringify(line)}\n`)
}
