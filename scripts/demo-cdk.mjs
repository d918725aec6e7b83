// The CDK part of the demo: `cdk deploy` without an account. The CDK CLI synthesizes the article's app. Its handler is taken from the cloud assembly, as Lambda
// would get it, and receives CloudFormation's create, update and delete events for each index, with the demo's registry as Amazon ECR.
import { spawnSync } from 'node:child_process'
import { appendFileSync, cpSync, readFileSync, rmSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { layoutRepositories } from '../packages/oci/dist/src/index.js'
import { copyImage } from '../packages/sociable/dist/src/index.js'
import { ensureNode } from './tools.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const cdkSoci = join(root, 'packages', 'cdk-soci')
const support = new URL('../packages/cdk-soci/handlers/dist/handlers/test/support/', import.meta.url)
const NODE = '24' // Lambda's nodejs24.x, and what CDK's program is run with
const ACCOUNT = { 'AWS::AccountId': '123456789012', 'AWS::Region': 'eu-west-1', 'AWS::URLSuffix': 'amazonaws.com' }
/** Where `cdk bootstrap` has images put. */
const ASSETS = `cdk-hnb659fds-container-assets-${ACCOUNT['AWS::AccountId']}-${ACCOUNT['AWS::Region']}`

/**
 * @param {{ readonly source: string, readonly digest: string, readonly folder: string }} context
 *   source: the image in the demo's registry; digest: of what `sociable convert` made of it; folder: the demo's, with its registry
 * @returns {Promise<string>} a line for the summary
 * @throws Error if a check fails
 */
export async function demo({ source, digest, folder }) {
  const { startCloud } = await import(new URL('cloud.js', support).href)
  const { startLambda } = await import(new URL('lambda.js', support).href)
  const undo = []
  const test = { after: (action) => undo.unshift(action) } // what the handlers' tests give to clean up with
  try {
    const first = synthesize(join(folder, 'cdk-app'), 1)
    const second = synthesize(join(folder, 'cdk-app'), 2)
    const tags = [first, second].map(assetTag)
    check(tags[0] !== tags[1], 'both versions have one tag')
    const repositories = await layoutRepositories(join(folder, 'registry'), { write: true })
    const store = await repositories.open(ASSETS, { create: true })
    for (const reference of tags) await copyImage(source, { store, reference })
    console.log(`published the app's image, ${tags[0].slice(0, 12)}…, as cdk deploy does`)
    let events = 0

    const cloud = await startCloud(test, { repositories, existing: [ASSETS], immutable: [ASSETS] })
    const environment = cloud.environment
    const lambda = startLambda(test, { node: ensureNode(NODE), environment, asset: first.handler, memory: 3538 })
    const play = async (type, logicalId, properties, more = {}) => {
      const event = cloud.cloudFormation.event(type, properties, { LogicalResourceId: logicalId, ...more })
      const started = performance.now()
      await lambda.invokeAsync(event)
      const answer = cloud.cloudFormation.answerTo(event)
      const took = ((performance.now() - started) / 1000).toFixed(2)
      console.log(`${type} ${logicalId} (${properties.Format}): ${answer.Status} in ${took} s`)
      if (answer.Data?.imageDigest) console.log(`  image digest ${answer.Data.imageDigest}`)
      events++
      check(answer.Status === 'SUCCESS', answer.Reason)
      return answer
    }
    for (const [logicalId, properties] of indexesOf(first, tags[0])) {
      const created = await play('Create', logicalId, properties)
      if (properties.Format === 'v2')
        check(created.Data.imageDigest === digest, `not the digest of sociable convert, ${digest}`)
      const newer = indexesOf(second, tags[1]).find(([id]) => id === logicalId)
      check(newer !== undefined, `${logicalId} is not in the second template: CloudFormation would replace it`)
      const former = { PhysicalResourceId: created.PhysicalResourceId, OldResourceProperties: properties }
      const updated = await play('Update', logicalId, newer[1], former)
      check(updated.PhysicalResourceId !== created.PhysicalResourceId, 'the new image has the old one as its resource')
      for (const { PhysicalResourceId } of [created, updated])
        await play('Delete', logicalId, properties, { PhysicalResourceId })
      for (const tag of [properties.InputTag, newer[1].InputTag]) await store.resolve(tag) // never goes
    }
    return `${events} CloudFormation events succeeded; the image digest equals that of sociable convert`
  } finally {
    for (const action of undo) await action()
  }
}

/**
 * The article's app, its image in a version.
 * @returns {{ readonly template: object, readonly handler: string }} handler: the folder of the function's asset
 */
function synthesize(folder, version) {
  const app = join(folder, 'app')
  const output = join(folder, `cdk.out-${version}`)
  rmSync(app, { recursive: true, force: true })
  cpSync(join(cdkSoci, 'examples', 'article'), app, { recursive: true })
  appendFileSync(join(app, 'example-image', 'Dockerfile'), `LABEL version=${version}\n`)
  const node = ensureNode(NODE)
  const cdk = join(root, 'node_modules', 'aws-cdk', 'bin', 'cdk')
  const env = { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH}` }
  const run = spawnSync(node, [cdk, 'synth', '--quiet', '--output', output], { cwd: app, env, encoding: 'utf8' })
  check(run.status === 0, `cdk synth failed: ${run.error?.message ?? `${run.stdout}${run.stderr}`}`)
  const template = JSON.parse(readFileSync(join(output, 'Article.template.json'), 'utf8'))
  const index = resourcesOf(template, 'Custom::SociIndex')[0][1]
  const handler = template.Resources[index.Properties.ServiceToken['Fn::GetAtt'][0]]
  return { template, handler: join(output, `asset.${handler.Properties.Code.S3Key.replace('.zip', '')}`) }
}

const resourcesOf = ({ Resources }, type) => Object.entries(Resources).filter(([, { Type }]) => Type === type)

/** The tag of the app's only image asset. */
function assetTag({ template }) {
  const tags = resourcesOf(template, 'Custom::SociIndex').map(([, { Properties }]) => Properties.InputTag)
  return tags.find((tag) => /^[0-9a-f]{64}$/.test(tag))
}

/** Logical ids and properties, as CloudFormation would send them, of the indexes of an image: one for each format. */
function indexesOf({ template }, tag) {
  const all = resourcesOf(template, 'Custom::SociIndex').map(([id, { Properties }]) => [id, resolve(Properties)])
  const of = (format) => all.find(([, { Format, InputTag }]) => Format === format && InputTag === tag)
  return [of('v2'), of('v1')]
}

/** What CloudFormation makes of its functions, as far as they are in the app's properties. */
function resolve(value) {
  if (Array.isArray(value)) return value.map(resolve)
  if (typeof value !== 'object' || value === null) return value
  const [[name, argument]] = Object.entries(value)
  if (name === 'Ref') return ACCOUNT[argument]
  if (name === 'Fn::GetAtt') return `arn:aws:lambda:eu-west-1:123456789012:function:${argument[0]}`
  if (name === 'Fn::Sub') return argument.replace(/\$\{([^}]+)\}/g, (_, reference) => ACCOUNT[reference])
  if (name === 'Fn::Join') return resolve(argument[1]).join(argument[0])
  if (name === 'Fn::Split') return resolve(argument[1]).split(argument[0])
  if (name === 'Fn::Select') return resolve(argument[1])[argument[0]]
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, resolve(field)]))
}

function check(holds, message) {
  if (!holds) throw new Error(message)
}
