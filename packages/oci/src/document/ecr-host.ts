/** A private registry of Amazon ECR, taken from its host. */
export interface EcrHost {
  readonly account: string
  readonly region: string
  readonly fips: boolean
  readonly dualStack: boolean
}

const REGION = '[a-z]{2,}(?:-[a-z]+)+-\\d+'
/**
 * `ACCOUNT.dkr.ecr[-fips].REGION.DOMAIN`, and `ACCOUNT.dkr-ecr[-fips].REGION.on.aws` of dual stack; the domains are those of AWS's partitions
 * (Amazon ECR User Guide, "Endpoints"; the AWS SDK's partitions.json): standard and GovCloud, China, the European sovereign cloud, and the isolated ones.
 */
const ECR_HOST = new RegExp(
  `^(\\d{12})\\.(?:dkr\\.ecr(-fips)?\\.(${REGION})\\.(?:amazonaws\\.com(?:\\.cn)?|amazonaws\\.eu|c2s\\.ic\\.gov|sc2s\\.sgov\\.gov|cloud\\.adc-e\\.uk|csp\\.hci\\.ic\\.gov)` +
    `|dkr-ecr(-fips)?\\.(${REGION})\\.on\\.(?:aws|amazonwebservices\\.(?:com\\.cn|eu)))$`,
)

/** Undefined for a host that is not a private registry of Amazon ECR. */
export function parseEcrHost(host: string): EcrHost | undefined {
  const match = ECR_HOST.exec(host)
  if (match === null) return undefined
  const [, account, fips, region, dualStackFips, dualStackRegion] = match
  return {
    account: account!,
    region: (region ?? dualStackRegion)!,
    fips: (fips ?? dualStackFips) !== undefined,
    dualStack: dualStackRegion !== undefined,
  }
}
