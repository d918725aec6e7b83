"""Every push of a version to app/web gets a SOCI index, and so do the images that are there already."""
import aws_cdk as cdk
from aws_cdk import aws_sns as sns
from cdk_soci import SociBackfill, SociDashboard, SociIndexOnPush, SociProfile

app = cdk.App()
stack = cdk.Stack(app, "EveryPush")
filters = ["app/web:v*"]
profile = SociProfile.from_file("start.json")

index_on_push = SociIndexOnPush(
    stack,
    "IndexOnPush",
    filters=filters,
    profile=profile,
    alarm_topic=sns.Topic(stack, "Failures"),
)
SociDashboard(stack, "Dashboard", index_on_push=index_on_push)

# Start it once: aws stepfunctions start-execution --state-machine-arn ARN --name first-run
backfill = SociBackfill(stack, "Backfill", filters=filters, profile=profile)
cdk.CfnOutput(stack, "StateMachineArn", value=backfill.state_machine_arn)

app.synth()
