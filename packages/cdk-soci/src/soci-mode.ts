/** Who makes the SOCI-enabled image. */
export enum SociMode {
  /** The stack, while it is deployed. */
  DEPLOY = 'deploy',
  /**
   * Whoever publishes the image, before the deployment: `sociable publish`, `CDK_DOCKER=sociable-docker`, or `sociable convert` in a pipeline. The task definition
   * names the image that they make beside it, with `-soci` appended to the tag.
   */
  PUBLISH = 'publish',
}
