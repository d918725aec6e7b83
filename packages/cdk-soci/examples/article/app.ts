// What readers of the article have, with another import; beside it the same in Python.
import { App, Stack } from 'aws-cdk-lib'
import { Repository } from 'aws-cdk-lib/aws-ecr'
import { DockerImageAsset } from 'aws-cdk-lib/aws-ecr-assets'
import { FargateTaskDefinition } from 'aws-cdk-lib/aws-ecs'
import { SociContainerImage, SociIndexBuild, SociIndexV2Build } from 'cdk-soci'

class Article extends Stack {
  constructor(scope: App, id: string) {
    super(scope, id)
    new SociIndexBuild(this, 'Index', {
      imageTag: 'someTag',
      repository: Repository.fromRepositoryName(this, 'Repo', 'someRepository'),
    })

    const asset = new DockerImageAsset(this, 'Image', { directory: 'example-image' })
    new SociIndexBuild(this, 'Index2', { imageTag: asset.assetHash, repository: asset.repository })
    SociIndexBuild.fromDockerImageAsset(this, 'Index3', asset)

    const index = SociIndexV2Build.fromDockerImageAsset(this, 'Index4', asset)
    const task = new FargateTaskDefinition(this, 'Task')
    task.addContainer('app', { image: index.toEcsDockerImageCode() })
    task.addContainer('sidecar', { image: SociContainerImage.fromAsset('example-image') })
  }
}

const app = new App()
new Article(app, 'Article')
