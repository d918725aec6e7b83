"""A service on Fargate, in Python: its tasks start before their image is down."""
import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from cdk_soci import SociContainerImage

app = cdk.App()
stack = cdk.Stack(app, "PythonService")
cluster = ecs.Cluster(stack, "Cluster", vpc=ec2.Vpc(stack, "Vpc", max_azs=2))

task_definition = ecs.FargateTaskDefinition(stack, "Task", cpu=512, memory_limit_mib=1024)
task_definition.add_container("web", image=SociContainerImage.from_asset("image"))

ecs.FargateService(
    stack,
    "Service",
    cluster=cluster,
    task_definition=task_definition,
    min_healthy_percent=100,
    circuit_breaker=ecs.DeploymentCircuitBreaker(rollback=True),
)

app.synth()
