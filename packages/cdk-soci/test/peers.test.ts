// For users of deploy-time-build: their snippets compile and synthesize with our import instead of theirs, and a stack that was deployed with theirs
// can be updated to ours.
import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { compileModules, snippetsOf, stackModule } from './snippets.js'
import { PACKAGE, run, tool, WORKSPACE } from './workplace.js'

interface Resource {
  readonly Type: string
  readonly Properties?: Readonly<Record<string, unknown>>
}
type Resources = Readonly<Record<string, Resource>>

/** A snippet for a peer. */
interface Example {
  readonly name: string
  readonly code: string
}

const folder = join(PACKAGE, 'generated', 'peers') // in the package, where imports resolve as they do for its users
const NPM_PEERS = ['deploy-time-build', '@cdklabs/deploy-time-build']
/** Newer than npm's, with JavaScript in it. */
const WHEEL = 'cdklabs.deploy-time-build==0.1.14'

/** What their documents say without a snippet, and the article that made them known. */
const examplesFor = (peer: string, label = peer): Example[] => [
  {
    name: `${label}: article`,
    code: `import { SociIndexBuild } from '${peer}'
const asset = new DockerImageAsset(this, 'Image', { directory: 'example-image' })
const index = SociIndexBuild.fromDockerImageAsset(this, 'Index', asset)
new SociIndexBuild(this, 'Index2', { imageTag: asset.assetHash, repository: asset.repository })
const named = Repository.fromRepositoryName(this, 'Repo', 'someRepository')
new SociIndexBuild(this, 'Index3', { imageTag: 'someTag', repository: named })
taskDefinition.addContainer('app', { image: AssetImage.fromDockerImageAsset(asset) })
const service = new FargateService(this, 'Service', { cluster, taskDefinition })
service.node.defaultChild!.node.addDependency(index)`,
  },
  {
    name: `${label}: properties`,
    code: `import { SociIndexV2Build, type SociIndexV2BuildProps } from '${peer}'
const props: SociIndexV2BuildProps = { repository, inputImageTag: 'someTag' }
const index = new SociIndexV2Build(this, 'Index', props)
const image = ContainerImage.fromEcrRepository(index.repository, index.outputImageTag)
taskDefinition.addContainer('app', { image })`,
  },
  {
    name: `${label}: image built by ContainerImageBuild`,
    code: `import { SociIndexV2Build } from '${peer}'
import { ContainerImageBuild } from 'deploy-time-build'
const built = new ContainerImageBuild(this, 'Build', { directory: 'example-image' })
const { repository, imageTag } = built
const index = new SociIndexV2Build(this, 'Index', { repository, inputImageTag: imageTag })
taskDefinition.addContainer('app', { image: index.toEcsDockerImageCode() })`,
  },
]

const computeTypeFor = (peer: string, label: string): Example => ({
  name: `${label}: computeType`,
  code: `import { ComputeType } from 'aws-cdk-lib/aws-codebuild'
import { SociIndexV2Build } from '${peer}'
const computeType = ComputeType.LARGE
const index = new SociIndexV2Build(this, 'Index', { repository, inputImageTag: 'someTag', computeType })
taskDefinition.addContainer('app', { image: index.toEcsDockerImageCode() })`,
})

test("the peers' code works with our import, and a stack of theirs can become one of ours", async (t) => {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(join(folder, 'example-image'), { recursive: true })
  writeFileSync(join(folder, 'example-image', 'Dockerfile'), 'FROM scratch\n')
  const wheel = unpackWheel(t)
  const examples = [
    ...NPM_PEERS.flatMap((peer) => [...readmeOf(peer), ...examplesFor(peer)]),
    ...(wheel === undefined ? [] : [...examplesFor(wheel, WHEEL), computeTypeFor(wheel, WHEEL)]),
  ]
  for (const [at, { name, code }] of examples.entries()) {
    const ours = code.replace(/(\bSoci[^\n]* from )'[^']*'/, "$1'cdk-soci'")
    assert.notEqual(ours, code, name)
    writeFileSync(join(folder, `theirs-${at}.mts`), stackModule({ name, code }))
    writeFileSync(join(folder, `ours-${at}.mts`), stackModule({ name, code: ours }))
  }
  writeFileSync(join(folder, 'main.mjs'), SYNTHESIZE)
  compileModules(folder)
  const templates = JSON.parse(run('node', ['main.mjs', String(examples.length)], { cwd: folder })) as [
    theirs: Resources,
    ours: Resources,
  ][]

  for (const [at, [theirs, ours]] of templates.entries())
    await t.test(examples[at]!.name, () => {
      assert.equal(indexesOf(ours).length, indexesOf(theirs).length)
      assert.ok(indexesOf(ours).length > 0)
      assertUpdatable(theirs, ours)
    })
})

/** What CloudFormation refuses: another type under a logical id, and another ServiceToken of a custom resource. */
function assertUpdatable(before: Resources, after: Resources): void {
  for (const [id, { Type, Properties }] of Object.entries(after)) {
    const former = before[id]
    if (former === undefined) continue
    assert.equal(former.Type, Type, id)
    assert.deepEqual(former.Properties?.ServiceToken, Properties?.ServiceToken, id)
  }
  for (const [id] of indexesOf(before)) assert.ok(!(id in after), `${id} would be updated instead of replaced`)
}

/** The custom resources that index, theirs or ours. */
function indexesOf(resources: Resources): [string, Resource][] {
  return Object.entries(resources).filter(([, { Type }]) => /^Custom::(CDK)?SociIndex/.test(Type))
}

/** The snippets of the package's README that index. */
function readmeOf(peer: string): Example[] {
  const snippets = snippetsOf(join(WORKSPACE, 'node_modules', peer, 'README.md'), 'ts')
  const indexing = snippets.filter(({ code }) => /\bSociIndex\w*Build\b/.test(code))
  assert.ok(indexing.length > 0, `${peer}: no snippet`)
  return indexing.map(({ name, code }) => ({ name: `${peer}: ${name}`, code }))
}

/** Where the wheel's JavaScript can be imported from. */
function unpackWheel(t: TestContext): string | undefined {
  const python = tool(t, 'python3')
  if (python === undefined) return undefined
  const target = join(folder, 'wheel')
  const options = ['--quiet', '--disable-pip-version-check', '--no-deps', '--dest', target]
  run(python, ['-m', 'pip', 'download', ...options, WHEEL])
  const [file] = readdirSync(target)
  run(python, ['-m', 'zipfile', '-e', file!, '.'], { cwd: target })
  const tarball = 'cdklabs/deploy_time_build/_jsii/deploy-time-build@0.1.14.jsii.tgz'
  run(python, ['-m', 'tarfile', '-e', tarball, '.'], { cwd: target })
  return './wheel/package/lib/index.js'
}

/** Prints the resources of each example, with their import and with ours. */
const SYNTHESIZE = `import { App } from 'aws-cdk-lib'
const resources = async (name) => {
  const { default: Example } = await import(\`./\${name}.mts\`)
  const app = new App({ outdir: \`cdk.out/\${name}\`, analyticsReporting: false })
  new Example(app, 'Example')
  return app.synth().stacks[0].template.Resources
}
const pairs = []
for (let at = 0; at < Number(process.argv[2]); at++) pairs.push([await resources(\`theirs-\${at}\`), await resources(\`ours-\${at}\`)])
console.log(JSON.stringify(pairs))
`
