// Every push of a version to the repository `app/web` gets a SOCI index, whoever pushes, and so do the images that are there already. A topic gets alarms for
// failures, and a dashboard shows what happens.
import { App, CfnOutput, Stack } from 'aws-cdk-lib'
import { Topic } from 'aws-cdk-lib/aws-sns'
import { SociBackfill, SociDashboard, SociIndexOnPush, SociProfile } from 'cdk-soci'

const app = new App()
const stack = new Stack(app, 'EveryPush')
const images = { filters: ['app/web:v*'], profile: SociProfile.fromFile('start.json') }

const indexOnPush = new SociIndexOnPush(stack, 'IndexOnPush', {
  ...images,
  alarmTopic: new Topic(stack, 'Failures'),
})
new SociDashboard(stack, 'Dashboard', { indexOnPush })

// Start it once: aws stepfunctions start-execution --state-machine-arn ARN --name first-run
const backfill = new SociBackfill(stack, 'Backfill', images)
new CfnOutput(stack, 'StateMachineArn', { value: backfill.stateMachineArn })
