// The CloudFormation template that `npm run package` makes of `SociIndexOnPush`: its parameters, and the function that is inside it.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { unzipSync } from 'fflate'
import { parse } from 'yaml'
import { doubles } from '../support/cloud.js'
import { pushApp, tagsOf } from '../support/images.js'
import { ASSETS } from '../support/lambda.js'
import { ensureNode } from '../support/nodes.js'
import { pushed, startOnPush } from '../support/on-push.js'

const SCRIPT = fileURLToPath(new URL('../../../../../scripts/template.mjs', import.meta.url))
const NAME = 'sociable-index-on-push'
const LIMIT = 1_000_000 // bytes that a template in S3 may have ("CloudFormation quotas": 1 MB)

interface Parameter {
  readonly Default: string
  readonly AllowedPattern?: string
  readonly AllowedValues?: readonly string[]
  readonly ConstraintDescription?: string
}

interface TemplateResource {
  readonly Type: string
  readonly Properties: Properties
  readonly Condition?: string
}

interface Template {
  readonly Parameters: Readonly<Record<string, Parameter>>
  readonly Resources: Readonly<Record<string, TemplateResource>>
  readonly Outputs: Readonly<Record<string, { readonly Condition?: string }>>
}
// biome-ignore lint/suspicious/noExplicitAny: a template's properties are what the test says they are
type Properties = any

const folder = mkdtempSync(join(tmpdir(), 'template-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const TEMPLATE = join(folder, `${NAME}.template.yaml`)
let said: string | undefined

/** Makes it once. Undefined, the test skipped, where there is no Node for the CDK. */
async function made(t: TestContext): Promise<Template | undefined> {
  const node = await ensureNode(t, '24')
  if (node === undefined) return undefined
  if (said === undefined) {
    const { status, stderr } = spawnSync(node, [SCRIPT, folder], { encoding: 'utf8' })
    assert.equal(status, 0, stderr)
    said = stderr
  }
  return parse(readFileSync(TEMPLATE, 'utf8')) as Template
}

function ofType({ Resources }: Template, type: string): Properties[] {
  return Object.values(Resources).flatMap(({ Type, Properties }) => (Type === type ? [Properties] : []))
}

/** `index.js`, as CloudFormation makes it of a text, in a folder of its own. */
function extract(t: TestContext, template: Template): { readonly asset: string; readonly temporary: string } {
  const [{ Code, Handler }] = ofType(template, 'AWS::Lambda::Function')
  assert.equal(Handler, 'index.onPushHandler')
  const path = mkdtempSync(join(tmpdir(), 'inline-'))
  t.after(() => rmSync(path, { recursive: true, force: true }))
  const [asset, temporary] = [join(path, 'code'), join(path, 'tmp')]
  for (const name of [asset, temporary]) mkdirSync(name)
  writeFileSync(join(asset, 'index.js'), Code['Fn::If'][2].ZipFile)
  return { asset, temporary }
}

test('the template is small enough, and needs nothing but itself', async (t) => {
  const template = await made(t)
  if (template === undefined) return
  const { length } = readFileSync(TEMPLATE)
  t.diagnostic(`${length} bytes`)
  assert.ok(length < LIMIT, `${length} bytes`)
  assert.equal(said, '')
  const text = JSON.stringify(template)
  assert.ok(!text.includes('cdk-hnb659fds') && !text.includes('BootstrapVersion') && !text.includes('aws:cdk'))
})

test('nothing in the template has a fixed name', async (t) => {
  const template = await made(t)
  if (template === undefined) return
  for (const [id, { Properties }] of Object.entries(template.Resources)) {
    const names = Object.entries(Properties as object).filter(([name]) =>
      /^(Name|(Rule|Function|Queue|Role|LogGroup|Alarm|StateMachine)Name)$/.test(name),
    )
    for (const [name, value] of names) assert.ok(typeof value === 'object', `${id}: ${name} is ${value}`)
  }
})

test("the parameters of AWS's solution mean the same, and bad values are refused", async (t) => {
  const template = await made(t)
  if (template === undefined) return
  const {
    SociRepositoryImageTagFilters: filters,
    SociIndexVersion,
    IamPermissionsBoundaryArn: boundary,
    ...others
  } = template.Parameters
  assert.deepEqual([filters!.Default, SociIndexVersion!.Default, boundary!.Default], ['*:*', 'V2', 'none'])
  assert.deepEqual(SociIndexVersion!.AllowedValues, ['V1', 'V2'])
  assert.deepEqual(
    Object.entries(others).map(([name, { Default }]) => [name, Default]),
    [
      ['Backfill', 'No'],
      ['HandlerBucket', ''],
      ['HandlerKey', 'sociable-index-on-push.zip'],
    ],
  )
  const check = ({ AllowedPattern, ConstraintDescription }: Parameter, good: string[], bad: string[]) => {
    assert.match(ConstraintDescription!, /^must be /)
    for (const value of good) assert.match(value, new RegExp(AllowedPattern!))
    for (const value of bad) assert.doesNotMatch(value, new RegExp(AllowedPattern!))
  }
  check(
    filters!,
    ['*:*', 'prod/*:V1.*, test:*-RC?', 'a:b,c:d'],
    ['', 'app', 'app:', 'App:x', 'a:b,', 'a:b c:d', 'host:5000/app:x', 'app:[a-z]'],
  )
  check(
    boundary!,
    ['none', 'arn:aws:iam::123456789012:policy/team/limit', 'arn:aws-cn:iam::aws:policy/Bound'],
    ['', 'limit', 'arn:aws:iam::123456789012:role/x'],
  )
  const roles = ofType(template, 'AWS::IAM::Role')
  assert.equal(roles.length, 3)
  for (const { PermissionsBoundary } of roles)
    assert.deepEqual(PermissionsBoundary, {
      'Fn::If': ['HasBoundary', { Ref: 'IamPermissionsBoundaryArn' }, { Ref: 'AWS::NoValue' }],
    })
})

test('a backfill is there where it is asked for, and uses the function of the pushes', async (t) => {
  const template = await made(t)
  if (template === undefined) return
  const conditional = Object.values(template.Resources).filter(({ Condition }) => Condition === 'HasBackfill')
  assert.deepEqual(conditional.map(({ Type }) => Type).sort(), [
    'AWS::IAM::Policy',
    'AWS::IAM::Policy',
    'AWS::IAM::Policy',
    'AWS::IAM::Role',
    'AWS::S3::Bucket',
    'AWS::S3::BucketPolicy',
    'AWS::StepFunctions::StateMachine',
  ])
  const [{ Environment }, ...others] = ofType(template, 'AWS::Lambda::Function')
  assert.deepEqual(others, [])
  const [, name, none] = Environment.Variables.SOCI_BACKFILL_BUCKET['Fn::If']
  assert.equal(template.Resources[name.Ref]!.Type, 'AWS::S3::Bucket')
  assert.deepEqual(none, { Ref: 'AWS::NoValue' })
  assert.equal(template.Outputs.BackfillStateMachineArn!.Condition, 'HasBackfill')
  // What is there without it names nothing of it
  const own = Object.entries(template.Resources).flatMap(([id, { Condition }]) =>
    Condition === 'HasBackfill' ? id : [],
  )
  for (const [id, { Condition, Properties, Type }] of Object.entries(template.Resources))
    if (Condition === undefined && Type !== 'AWS::Lambda::Function')
      for (const other of own) assert.ok(!JSON.stringify(Properties).includes(`"${other}"`), `${id} names ${other}`)
})

test('cfn-lint has nothing to say about the template', async (t) => {
  if ((await made(t)) === undefined) return
  const cfnLint = await ensureCfnLint(t)
  if (cfnLint === undefined) return
  const { status, stdout, stderr } = spawnSync(cfnLint, [...OF_CDK, '--', TEMPLATE], { encoding: 'utf8' })
  assert.equal(status, 0, stdout + stderr)
})

/** A DependsOn that a GetAtt implies already: CDK writes both. */
const OF_CDK = ['--ignore-checks', 'W3005']

async function ensureCfnLint(t: TestContext): Promise<string | undefined> {
  const tools = new URL('../../../../../../../scripts/tools.mjs', import.meta.url).href
  const { ensure } = (await import(tools)) as { ensure(name: string): string }
  try {
    return ensure('cfn-lint')
  } catch (error) {
    if (process.env.CI === 'true') throw error
    t.skip((error as Error).message)
    return undefined
  }
}

test('the zip has the files of the asset', async (t) => {
  if ((await made(t)) === undefined) return
  const files = unzipSync(readFileSync(join(folder, `${NAME}.zip`)))
  const asset = join(ASSETS, 'handler')
  assert.deepEqual(Object.keys(files).sort(), readdirSync(asset).sort())
  for (const [name, bytes] of Object.entries(files))
    assert.ok(Buffer.from(bytes).equals(readFileSync(join(asset, name))), name)
})

test('the function inside the template indexes pushes, with its threads', async (t) => {
  const template = await made(t)
  const node = await ensureNode(t, '24') // nodejs24.x
  if (template === undefined || node === undefined) return
  const { asset, temporary } = extract(t, template)
  const world = await startOnPush(t, { lambda: { node, asset, temporary } })
  if (world === undefined) return
  const { deliver, lambda, queue, store } = world
  const app = await store('app')
  await deliver(pushed(await pushApp(app, 'One'), 'One'))
  assert.deepEqual(await tagsOf(app), ['One', 'One-soci'])
  t.diagnostic(`loaded in ${Math.round(lambda.loadTime())} ms`)

  const [unpacked] = readdirSync(temporary)
  appendFileSync(join(temporary, unpacked!, 'layer-worker.js'), "\nconsole.log('a thread is up')\n")
  const { noise, pushImage, smallImage } = await doubles()
  const image = smallImage([{ name: 'large', data: noise(12 << 20) }])
  await pushImage(app, image)
  await app.tag(image.manifest, 'large')
  await deliver(pushed(image.manifest, 'large'))
  assert.deepEqual(
    queue.events.map(({ type, detail }) => [type, detail['output-tag'], detail.indexed]),
    [
      ['SOCI Index Ready', 'One-soci', true],
      ['SOCI Index Ready', 'large-soci', true],
    ],
  )
  assert.match(lambda.log(), /a thread is up/)
})
