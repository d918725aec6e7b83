import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Duration, RemovalPolicy } from 'aws-cdk-lib'
import { ComputeType } from 'aws-cdk-lib/aws-codebuild'
import { Vpc } from 'aws-cdk-lib/aws-ec2'
import { Repository } from 'aws-cdk-lib/aws-ecr'
import { DockerImageAsset, type DockerImageAssetOptions } from 'aws-cdk-lib/aws-ecr-assets'
import { Key } from 'aws-cdk-lib/aws-kms'
import { Architecture, Runtime } from 'aws-cdk-lib/aws-lambda'
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs'
import { type LambdaComputeOptions, SociCompute, SociIndexV2Build, type SociIndexV2BuildProps } from 'cdk-soci'
import { IMAGE, newStack } from './support.js'

const MIB = 1048576

/** Each with what its message must say: what is wrong, the value, and what to do. */
const REFUSED: readonly (readonly [Partial<SociIndexV2BuildProps>, RegExp])[] = [
  [{ spanSize: 0 }, /^spanSize is 0: .*at least 1; leave it out for 4194304/],
  [{ spanSize: -MIB }, /^spanSize is -1048576: .*at least 1/],
  [{ spanSize: 1.5 }, /^spanSize is 1\.5: it must be a whole number of bytes/],
  [{ spanSize: Number.NaN }, /^spanSize is NaN: /],
  [{ minLayerSize: -1 }, /^minLayerSize is -1: .*at least 0; leave it out for 10485760/],
  [{ platforms: ['windows/amd64'] }, /^platforms has "windows\/amd64": only Linux images .*leave it out/],
  [{ platforms: ['linux/arm46'] }, /^platforms has "linux\/arm46": its architecture must be one of .*arm64/],
  [{ platforms: ['arm64'] }, /^platforms has "arm64": write linux\/ARCHITECTURE/],
  [{ platforms: ['linux/arm64/v8/x'] }, /^platforms has "linux\/arm64\/v8\/x": write linux\/ARCHITECTURE/],
  [{ prefetchFiles: ['/'] }, /^prefetchFiles has "\/", which is not a file: write paths/],
  [{ buildTool: ' ' }, /^buildTool has 1 characters, or only spaces: give 1 to 256, or leave it out/],
  [{ buildTool: 'x'.repeat(257) }, /^buildTool has 257 characters.*give 1 to 256/],
  [{ removalPolicy: RemovalPolicy.SNAPSHOT }, /^removalPolicy is SNAPSHOT.*use RETAIN or DESTROY/],
  [{ inputImageTag: '' }, /^inputImageTag is "", which is empty: give a tag/],
  [{ inputImageTag: '-x' }, /^inputImageTag is "-x", which is not a tag: .*a digest sha256:… is taken too/],
  [{ inputImageTag: 'sha256:abc' }, /^inputImageTag is "sha256:abc", which is not a tag/],
  [{ inputImageTag: 'x'.repeat(129) }, /has 129 characters: give at most 128/],
  [{ inputImageTag: 'x'.repeat(124) }, /^outputImageTag is "x{124}-soci", which has 129 characters: give at most 128/],
  [{ outputImageTag: 'app' }, /^outputImageTag is "app", the tag of the image .*leave it out for "app-soci"/],
  [{ outputImageTag: 'a b' }, /^outputImageTag is "a b", which is not a tag: use letters/],
  [
    { outputImageTag: 'x'.repeat(110), removalPolicy: RemovalPolicy.DESTROY },
    /which has 110 characters: give at most 109 together with RemovalPolicy.DESTROY/,
  ],
  [
    { compute: SociCompute.lambdaFunction(), computeType: ComputeType.SMALL },
    /^computeType \(BUILD_GENERAL1_SMALL\) is CodeBuild's, and given together with compute: give one/,
  ],
]

test('options that cannot be are refused at synthesis, with the value and what to do', () => {
  for (const [props, message] of REFUSED) {
    const stack = newStack()
    const repository = Repository.fromRepositoryName(stack, 'Repository', 'app')
    assert.throws(
      () => new SociIndexV2Build(stack, 'Index', { repository, inputImageTag: 'app', ...props }),
      { message },
      JSON.stringify(props),
    )
  }
})

test('options at their bounds are taken', () => {
  const taken: Partial<SociIndexV2BuildProps>[] = [
    { spanSize: 1, minLayerSize: 0 },
    { platforms: ['linux/arm/v7', 'linux/arm64', 'linux/amd64'] },
    { outputImageTag: 'x'.repeat(128) },
    { outputImageTag: 'x'.repeat(109), removalPolicy: RemovalPolicy.DESTROY },
    { inputImageTag: 'x'.repeat(123) },
    { inputImageTag: `sha256:${'0'.repeat(64)}` },
  ]
  for (const props of taken) {
    const stack = newStack()
    const repository = Repository.fromRepositoryName(stack, 'Repository', 'app')
    new SociIndexV2Build(stack, 'Index', { repository, inputImageTag: 'app', ...props })
  }
})

test('the output tag may be the input tag where it is in another repository', () => {
  const stack = newStack()
  const repository = Repository.fromRepositoryName(stack, 'Repository', 'app')
  const outputRepository = Repository.fromRepositoryName(stack, 'Output', 'lazy')
  new SociIndexV2Build(stack, 'Index', { repository, outputRepository, inputImageTag: 'app', outputImageTag: 'app' })
})

test('an asset whose layers docker compresses with zstd is refused', (t) => {
  const stack = newStack()
  const withOutputs = (outputs: string[]) =>
    new DockerImageAsset(stack, outputs.join(), { directory: IMAGE, outputs } as DockerImageAssetOptions & {
      directory: string
    })
  const asset = withOutputs(['type=image,compression=zstd,oci-mediatypes=true'])
  if (!('dockerOutputs' in asset)) return t.skip('this aws-cdk-lib knows no outputs')
  assert.throws(() => SociIndexV2Build.fromDockerImageAsset(stack, 'Index', asset), {
    message: /has the output "type=image,compression=zstd,oci-mediatypes=true".*use compression=gzip/,
  })
  SociIndexV2Build.fromDockerImageAsset(stack, 'Gzip', withOutputs(['type=image,compression=gzip']))
})

test('options of the function that cannot be are refused where they are given', () => {
  const stack = newStack()
  const vpc = new Vpc(stack, 'Vpc')
  const logGroup = new LogGroup(stack, 'Log')
  const refused: readonly (readonly [LambdaComputeOptions, RegExp])[] = [
    [{ memorySize: 128 }, /^memorySize is 128: .*from 512 to 10240; leave it out for 3538/],
    [{ memorySize: 10241 }, /^memorySize is 10241: .*from 512 to 10240/],
    [{ memorySize: 1024.5 }, /^memorySize is 1024\.5: it must be a whole number/],
    [{ timeout: Duration.minutes(16) }, /^timeout is 16 minutes: .*SociCompute\.codeBuild\(\)/],
    [{ timeout: Duration.seconds(30) }, /^timeout is 0\.5 minutes: .*from 1 to 15/],
    [{ runtime: Runtime.PYTHON_3_9 }, /^runtime is python3\.9: it must be nodejs22\.x or newer/],
    [{ runtime: Runtime.NODEJS_16_X }, /^runtime is nodejs16\.x: it must be nodejs22\.x or newer/],
    [{ vpcSubnets: { subnets: vpc.privateSubnets } }, /^vpcSubnets is given without a vpc: give the VPC/],
    [{ securityGroups: [] }, /^securityGroups is given without a vpc/],
    [{ vpc, securityGroups: [] }, /^securityGroups is empty: leave it out/],
    [{ architecture: Architecture.custom('riscv64') }, /^architecture is riscv64: Lambda has arm64 and x86_64/],
    [{ logGroup, encryptionKey: new Key(stack, 'Key') }, /^encryptionKey is given with a logGroup.*leave one of them/],
    [
      { logGroup, logRetention: RetentionDays.ONE_DAY },
      /^logRetention is given with a logGroup.*leave one of them out/,
    ],
  ]
  for (const [options, message] of refused) assert.throws(() => SociCompute.lambdaFunction(options), { message })
})
