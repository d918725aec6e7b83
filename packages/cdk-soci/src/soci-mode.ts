/** When the SOCI-enabled image is made. */
export enum SociMode {
  /** While the stack is deployed. */
  DEPLOY = 'deploy',
  /**
   * Before the deployment, when the image is published: by `sociable publish`, `CDK_DOCKER=sociable-docker`, or `sociable convert` in a pipeline. The task definition uses the
   * image with `-soci` appended to the tag.
   */
  PUBLISH = 'publish',
  /**
   * The deployment does not wait, and no failure of the index rolls it back. It uses the SOCI-enabled image if that exists, else the image as it was pushed, which is then
   * indexed in the background. The SOCI-enabled image is used by the next deployment in which `refresh` or another option changes.
   */
  BACKGROUND = 'background',
}
