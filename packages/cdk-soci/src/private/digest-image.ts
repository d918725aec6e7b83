import type * as ecr from 'aws-cdk-lib/aws-ecr'
import * as ecs from 'aws-cdk-lib/aws-ecs'

/** An image of a repository by a digest that only the deployment knows: the CDK takes such a token for a tag. */
export class DigestImage extends ecs.EcrImage {
  override readonly imageName: string

  constructor(repository: ecr.IRepository, digest: string) {
    super(repository, digest)
    this.imageName = repository.repositoryUriForDigest(digest)
  }
}
