// Every rule of cdk-nag's packs that a resource breaks on purpose, with the reason: for those who review the security of a stack. Rules that an option
// satisfies (a VPC, keys, concurrency, an alarm's topic) are not here, so that cdk-nag reports them where the option is missing: docs/compliance.md lists them.

/** A rule, by its name in each pack that has it, and why it does not apply. */
export interface AcknowledgedRule {
  readonly rules: readonly string[]
  readonly reason: string
}

const HIPAA = 'HIPAA.Security'
const NIST4 = 'NIST.800.53.R4'
const NIST5 = 'NIST.800.53.R5'
const PCI = 'PCI.DSS.321'

const inPacks = (rule: string, packs: readonly string[], reason: string): AcknowledgedRule => ({
  rules: packs.map((pack) => `${pack}-${rule}`),
  reason,
})
const wildcard = (reason: string): AcknowledgedRule => ({ rules: ['AwsSolutions-IAM5'], reason })

// Permissions
export const LOGIN = wildcard(
  'ecr:GetAuthorizationToken does not support resource-level permissions. A token allows nothing that the policy does not.',
)
export const NETWORK_INTERFACES = wildcard(
  'Amazon EC2 does not support resource-level permissions for the network interfaces of functions and builds, or creates them when it needs them.',
)
export const TRACES = wildcard('AWS X-Ray does not support resource-level permissions for traces.')
export const KEY_USE = wildcard(
  "The actions of a grant of the AWS CDK, on the key that the stack's author gave, and no other.",
)
export const PUSHED_REPOSITORIES = wildcard(
  "The repositories that the stack's author selected by patterns, and for listing them, those of this account and region.",
)
export const EXECUTIONS = wildcard('Executions of this state machine only. Their names are made when they start.')
export const RUN_FILES = wildcard("Objects of this construct's bucket only. Their names are made when a run starts.")
export const INLINE_POLICY = inPacks(
  'IAMNoInlinePolicy',
  [HIPAA, NIST4, NIST5, PCI],
  'The policy belongs to one role, allows only what that role does, and is deleted with it. A managed policy could be attached to other principals.',
)

// Functions
export const NO_DEAD_LETTERS = inPacks(
  'LambdaDLQ',
  [HIPAA, NIST5],
  'Failures are not lost: they are told to CloudFormation, by an OnFailure destination if the function is killed, or kept by the queue or state machine that invokes it.',
)
export const BOUNDED_CONCURRENCY = inPacks(
  'LambdaConcurrency',
  [HIPAA, NIST5],
  'Whatever invokes the function bounds its concurrency: the queue and the state machine by their maximum, CloudFormation by the resources of a deployment.',
)

// CodeBuild and Step Functions
export const NO_ARTIFACTS: AcknowledgedRule = {
  rules: ['AwsSolutions-CB4'],
  reason: 'The project has no artifacts that could be encrypted.',
}
export const SOURCE_IN_S3 = inPacks(
  'CodeBuildProjectSourceRepoUrl',
  [HIPAA, NIST4, PCI],
  'The source is an asset in Amazon S3, read with the role of the project. There is no repository with credentials.',
)
export const NO_EXECUTION_LOG: AcknowledgedRule = {
  rules: ['AwsSolutions-SF1', 'AwsSolutions-SF2'],
  reason:
    'Executions keep their history, and the function logs each step. A log of the execution would contain the presigned URLs of CloudFormation.',
}

// The bucket of a backfill
export const RUN_BUCKET: AcknowledgedRule = {
  rules: [
    'AwsSolutions-S1',
    ...['S3BucketLoggingEnabled', 'S3BucketReplicationEnabled', 'S3BucketVersioningEnabled'].flatMap((rule) =>
      [HIPAA, NIST4, NIST5, PCI].map((pack) => `${pack}-${rule}`),
    ),
    `${NIST4}-S3BucketDefaultLockEnabled`,
  ],
  reason:
    'The bucket has names of images and results of runs, which only the functions of this construct write and read, and which another run makes again. Give a bucket of your own for more.',
}
