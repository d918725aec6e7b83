"""What readers of the article have in Python, with another import; beside it the same in TypeScript."""
import aws_cdk as cdk
from aws_cdk.aws_ecr import Repository
from aws_cdk.aws_ecr_assets import DockerImageAsset
from aws_cdk.aws_ecs import FargateTaskDefinition
from cdk_soci import SociContainerImage, SociIndexBuild, SociIndexV2Build


class Article(cdk.Stack):
    def __init__(self, scope, id):
        super().__init__(scope, id)
        SociIndexBuild(
            self,
            "Index",
            image_tag="someTag",
            repository=Repository.from_repository_name(self, "Repo", "someRepository"),
        )

        asset = DockerImageAsset(self, "Image", directory="example-image")
        SociIndexBuild(self, "Index2", image_tag=asset.asset_hash, repository=asset.repository)
        SociIndexBuild.from_docker_image_asset(self, "Index3", asset)

        index = SociIndexV2Build.from_docker_image_asset(self, "Index4", asset)
        task = FargateTaskDefinition(self, "Task")
        task.add_container("app", image=index.to_ecs_docker_image_code())
        task.add_container("sidecar", image=SociContainerImage.from_asset("example-image"))


app = cdk.App()
Article(app, "Article")
app.synth()
