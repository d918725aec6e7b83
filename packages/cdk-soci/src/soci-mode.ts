/** When the SOCI-enabled image is made. */
export enum SociMode {
  /** While the stack is deployed. */
  DEPLOY = 'deploy',
  /**
   * Before the deployment, when the image is published: by `sociable publish`, `CDK_DOCKER=sociable-docker`, or `sociable convert` in a pipeline. The task definition uses the
   * image with `-soci` appended to the tag.
   */
  PUBLISH = 'publish',
}
