// `node scripts/template.mjs [FOLDER]` writes into it (default: dist/template), of what is built,
// - sociable-index-on-push.template.yaml: `SociIndexOnPush` as one CloudFormation template, with the function inside it;
// - sociable-index-on-push.zip: the function's code, for the template's bucket parameters and for Terraform.
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, constants } from 'node:zlib'
import cdk from 'aws-cdk-lib'
import iam from 'aws-cdk-lib/aws-iam'
import { Construct } from 'constructs'
import { zipSync } from 'fflate'
import { stringify } from 'yaml'
import soci from '../lib/index.js'
import runs from '../lib/private/backfill-runs.js'
import policies from '../lib/private/separate-policy.js'

const root = fileURLToPath(new URL('..', import.meta.url))
export const NAME = 'sociable-index-on-push'
const DESCRIPTION = 'Gives container images a SOCI index when they are pushed to Amazon ECR (sociable)'

const FILTER = '[a-z0-9._/*?-]+:[A-Za-z0-9_.*?-]+'
/** As those of AWS's solution cfn-ecr-aws-soci-index-builder; and a way out. */
const PARAMETERS = {
  SociRepositoryImageTagFilters: {
    description:
      'Patterns REPOSITORY:TAG of the images to index, separated by commas. * is any number of characters, ? is one',
    default: '*:*',
    allowedPattern: `^\\s*${FILTER}\\s*(,\\s*${FILTER}\\s*)*$`,
    constraintDescription:
      'must be patterns REPOSITORY:TAG, separated by commas, such as app/*:v*,other:latest. Repositories have no capital letters; the wildcards are * and ?',
    maxLength: 3000, // of 4 KB that a function's environment may have
  },
  SociIndexVersion: {
    description:
      'V2 makes SOCI-enabled images <tag>-soci, for Fargate. V1 attaches an index to the image itself, for SOCI snapshotters that you run',
    default: 'V2',
    allowedValues: ['V1', 'V2'],
  },
  IamPermissionsBoundaryArn: {
    description: 'ARN of a policy that bounds the permissions of all roles of this stack, or none',
    default: 'none',
    allowedPattern: '^(none|arn:[a-z0-9-]+:iam::([0-9]{12}|aws):policy/[A-Za-z0-9_+=,.@/-]+)$',
    constraintDescription: 'must be the ARN of an IAM policy, or none',
  },
  Backfill: {
    description:
      'Yes adds a state machine that indexes the images which are in the repositories already, when you start it, and a bucket for its lists and results',
    default: 'No',
    allowedValues: ['No', 'Yes'],
  },
  HandlerBucket: {
    description: `Leave it empty. If CloudFormation refuses the function in this template: bucket of this region that has ${NAME}.zip`,
    default: '',
    allowedPattern: '^([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])?$',
    constraintDescription: 'must be the name of an S3 bucket, or empty',
  },
  HandlerKey: {
    description: `Only with HandlerBucket: key of ${NAME}.zip there`,
    default: `${NAME}.zip`,
    minLength: 1,
    maxLength: 1024,
  },
}

/** The files of the function, by name. */
function handlerFiles() {
  const folder = join(root, 'assets', 'handler')
  return Object.fromEntries(
    readdirSync(folder)
      .sort()
      .map((name) => [name, readFileSync(join(folder, name), 'utf8')]),
  )
}

/** The same bytes for the same files. */
export function handlerZip() {
  const mtime = new Date(1980, 0, 1) // the oldest that a zip can say
  const entries = Object.entries(handlerFiles()).map(([name, text]) => [name, [Buffer.from(text), { mtime, level: 9 }]])
  return zipSync(Object.fromEntries(entries))
}

const LINE = 4_000 // characters, for editors
const QUALITY = 10 // the best, 11, takes three times as long for 3 % less

/**
 * The function as one file of CommonJS, which is what CloudFormation makes of a text: it unpacks itself into the function's temporary folder, where the
 * library finds its threads' files beside it as everywhere.
 */
function inlineHandler() {
  const text = JSON.stringify(handlerFiles())
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: QUALITY,
    [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
    [constants.BROTLI_PARAM_SIZE_HINT]: text.length,
  }
  const packed = brotliCompressSync(text, { params }).toString('base64')
  const lines = packed.match(new RegExp(`.{1,${LINE}}`, 'g')).join('\n')
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 16)
  return `// The files of ${NAME}.zip, packed: JSON by name, brotli, base64. LICENSES among them has the licenses of all that is in them.
'use strict'
const { mkdirSync, writeFileSync } = require('node:fs')
const { tmpdir } = require('node:os')
const { join } = require('node:path')
const { pathToFileURL } = require('node:url')
const { brotliDecompressSync } = require('node:zlib')

const folder = join(tmpdir(), 'sociable-${hash}')
mkdirSync(folder, { recursive: true })
const files = JSON.parse(brotliDecompressSync(Buffer.from(packed(), 'base64')).toString())
for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
const handlers = import(pathToFileURL(join(folder, 'index.js')).href)
exports.onPushHandler = async (event, context) => (await handlers).onPushHandler(event, context)

function packed() {
  return \`
${lines}
\`
}
`
}

/** The template, as text. */
export function template() {
  const outdir = mkdtempSync(join(tmpdir(), 'cdk-soci-template-'))
  try {
    const app = new cdk.App({ analyticsReporting: false, outdir })
    const synthesizer = new cdk.DefaultStackSynthesizer({ generateBootstrapVersionRule: false })
    const stack = new cdk.Stack(app, 'SociIndexOnPush', { synthesizer, description: DESCRIPTION })
    fill(stack)
    const { template } = app.synth().getStackByName(stack.stackName)
    for (const resource of Object.values(template.Resources)) delete resource.Metadata
    return stringify(template, { lineWidth: 0, aliasDuplicateObjects: false })
  } finally {
    rmSync(outdir, { recursive: true, force: true })
  }
}

function fill(stack) {
  const parameter = Object.fromEntries(
    Object.entries(PARAMETERS).map(([id, props]) => [
      id,
      new cdk.CfnParameter(stack, id, { type: 'String', ...props }),
    ]),
  )
  const { Fn } = cdk
  const value = (id) => parameter[id].valueAsString
  const condition = (id, expression) => new cdk.CfnCondition(stack, id, { expression })
  const isV2 = condition('IsV2', Fn.conditionEquals(value('SociIndexVersion'), 'V2'))
  const isBounded = condition(
    'HasBoundary',
    Fn.conditionNot(Fn.conditionEquals(value('IamPermissionsBoundaryArn'), 'none')),
  )
  const isFromBucket = condition('HasBucket', Fn.conditionNot(Fn.conditionEquals(value('HandlerBucket'), '')))

  const [v2, v1] = ['V2', 'V1'].map(
    (indexVersion) =>
      new soci.SociIndexOnPush(indexVersion === 'V2' ? stack : new cdk.Stack(), 'IndexOnPush', {
        filters: [value('SociRepositoryImageTagFilters')],
        indexVersion,
      }),
  )
  const part = (construct, type, id) =>
    construct.node.findAll().find((node) => node.cfnResourceType === type && node.node.path.includes(id))
  const handler = part(v2, 'AWS::Lambda::Function', 'Function')
  handler.addPropertyOverride('Environment.Variables.SOCI_INDEX_VERSION', value('SociIndexVersion'))
  handler.addPropertyDeletionOverride('Code.S3Bucket')
  handler.addPropertyDeletionOverride('Code.S3Key')
  const fromBucket = { S3Bucket: value('HandlerBucket'), S3Key: value('HandlerKey') }
  handler.addPropertyOverride('Code', {
    'Fn::If': [isFromBucket.logicalId, fromBucket, { ZipFile: inlineHandler() }],
  })
  const patternOf = (construct) => construct.node.findChild('Pushed').node.defaultChild.eventPattern
  const rule = v2.node.findChild('Pushed').node.defaultChild
  rule.addPropertyOverride('EventPattern', {
    'Fn::If': [isV2.logicalId, stack.resolve(patternOf(v2)), stack.resolve(patternOf(v1))],
  })
  const backfill = addBackfill(
    stack,
    v2.handler,
    condition('HasBackfill', Fn.conditionEquals(value('Backfill'), 'Yes')),
  )
  handler.addPropertyOverride('Environment.Variables.SOCI_BACKFILL_BUCKET', backfill.bucket)
  const boundary = Fn.conditionIf(isBounded.logicalId, value('IamPermissionsBoundaryArn'), cdk.Aws.NO_VALUE)
  iam.PermissionsBoundary.of(stack).apply(
    iam.ManagedPolicy.fromManagedPolicyArn(stack, 'Boundary', boundary.toString()),
  )

  // The CDK's own check takes a parameter's default for its value, whatever the condition. cfn-lint, which knows conditions, judges the template in a test
  cdk.Validations.of(stack).acknowledge({
    id: 'CloudFormation-Validate::F3033',
    reason: 'Values that are too short are those that conditions leave out.',
  })
  for (const [id, text, output] of [
    ['FunctionName', 'Indexes images', v2.handler.functionName],
    ['LogGroupName', 'Has the log of the function', v2.logGroup.logGroupName],
    ['DeadLetterQueueUrl', 'Has the pushes that failed for good', v2.deadLetterQueue.queueUrl],
  ])
    new cdk.CfnOutput(stack, id, { description: text, value: output })
  new cdk.CfnOutput(stack, 'BackfillStateMachineArn', {
    description:
      'Indexes the images that are there already: aws stepfunctions start-execution --state-machine-arn ARN --name NAME',
    value: backfill.stateMachineArn,
    condition: backfill.condition,
  })
}

const BACKFILL_CONCURRENCY = 10

/**
 * What `SociBackfill` has besides its function, for the function of the pushes: a second one with code of its own would make the template too large. All of it is
 * there on the condition only.
 */
function addBackfill(stack, handler, condition) {
  const scope = new Construct(stack, 'Runs')
  const bucket = runs.runsBucket(scope, undefined)
  runs.grantRuns(policies.separatePolicy(scope, 'RunsPolicy', handler.role), bucket)
  const stateMachineArn = runs.runsMachine(scope, handler, bucket, BACKFILL_CONCURRENCY)
  for (const node of scope.node.findAll())
    if (cdk.CfnResource.isCfnResource(node)) node.cfnOptions.condition = condition
  const name = stack.resolve(bucket.bucketName)
  return { condition, stateMachineArn, bucket: { 'Fn::If': [condition.logicalId, name, { Ref: 'AWS::NoValue' }] } }
}

/** Writes both files. @returns their paths */
export function writeTemplate(folder = join(root, 'dist', 'template')) {
  mkdirSync(folder, { recursive: true })
  const files = { [`${NAME}.template.yaml`]: template(), [`${NAME}.zip`]: handlerZip() }
  return Object.entries(files).map(([name, content]) => {
    writeFileSync(join(folder, name), content)
    return join(folder, name)
  })
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  for (const path of writeTemplate(process.argv[2])) console.log(path)
