// The wheel, as its users install it: into a fresh virtual environment, with PyPI's aws-cdk-lib of the version that TypeScript is tested with.
import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { snippetsOf } from './snippets.js'
import { removeVirtualEnvironment, virtualEnvironment } from './virtual-environment.js'
import { PACKAGE, run, temporaryFolder, WORKSPACE } from './workplace.js'

const MAX_SIZE = 10 << 20 // bytes of wheel: the handlers' assets, 5 MB at most, and the constructs

describe('Python', () => {
  after(removeVirtualEnvironment)

  it('the wheel is small', async (t) => {
    const python = await virtualEnvironment(t)
    if (python === undefined) return
    const { size } = statSync(python.wheel)
    assert.ok(size < MAX_SIZE, `${python.wheel} has ${size} bytes`)
  })

  it("the article's example gives TypeScript's template", async (t) => {
    const python = await virtualEnvironment(t)
    if (python === undefined) return
    const [ours, theirs] = [temporaryFolder(t), temporaryFolder(t)]
    const cwd = join(PACKAGE, 'examples', 'article')
    run(python.path, ['app.py'], { cwd, env: { CDK_OUTDIR: ours } })
    run('node', ['app.ts'], { cwd, env: { CDK_OUTDIR: theirs } })
    const [a, b] = [ours, theirs].map((folder) =>
      JSON.parse(readFileSync(join(folder, 'Article.template.json'), 'utf8')),
    )
    assert.deepEqual(a, b)
    const indexes = Object.values(a.Resources as Record<string, { Type: string }>).filter(
      ({ Type }) => Type === 'Custom::SociIndex',
    )
    assert.equal(indexes.length, 5)
    assert.deepEqual(assetsOf(ours), assetsOf(theirs))
  })

  it("the example of every push gives TypeScript's template", async (t) => {
    const python = await virtualEnvironment(t)
    if (python === undefined) return
    const [ours, theirs] = [temporaryFolder(t), temporaryFolder(t)]
    const cwd = join(PACKAGE, 'examples', 'every-push')
    run(python.path, ['app.py'], { cwd, env: { CDK_OUTDIR: ours } })
    run('node', ['app.ts'], { cwd, env: { CDK_OUTDIR: theirs } })
    const [a, b] = [ours, theirs].map((folder) =>
      JSON.parse(readFileSync(join(folder, 'EveryPush.template.json'), 'utf8')),
    )
    assert.deepEqual(a, b)
    assert.ok(Object.keys(a.Resources).length > 20)
  })

  it("README's snippet gives stacks that index", async (t) => {
    const python = await virtualEnvironment(t)
    if (python === undefined) return
    const output = temporaryFolder(t)
    const [snippet, ...others] = snippetsOf(join(PACKAGE, 'README.md'), 'python')
    assert.ok(snippet !== undefined && others.length === 0)
    for (const image of ['image', 'sidecar']) {
      mkdirSync(join(output, image))
      writeFileSync(join(output, image, 'Dockerfile'), `FROM scratch\nLABEL name=${image}\n`)
    }
    writeFileSync(join(output, 'app.py'), pythonApp(snippet.code))
    run(python.path, ['app.py'], { cwd: output, env: { CDK_OUTDIR: join(output, 'cdk.out') } })
    const template = readFileSync(join(output, 'cdk.out', 'Snippet.template.json'), 'utf8')
    assert.equal(template.match(/"Type": "Custom::SociIndex"/g)?.length, 3)
  })

  it("README's whole app is synthesized as it stands", async (t) => {
    const python = await virtualEnvironment(t)
    if (python === undefined) return
    const folder = temporaryFolder(t)
    const [app, ...others] = snippetsOf(join(PACKAGE, 'README.md'), 'py')
    assert.ok(app !== undefined && others.length === 0)
    mkdirSync(join(folder, 'image'))
    writeFileSync(join(folder, 'image', 'Dockerfile'), 'FROM scratch\n')
    writeFileSync(join(folder, 'app.py'), app.code)
    run(python.path, ['app.py'], { cwd: folder, env: { CDK_OUTDIR: join(folder, 'cdk.out') } })
    const template = readFileSync(join(folder, 'cdk.out', 'Web.template.json'), 'utf8')
    assert.equal(template.match(/"Type": "Custom::SociIndex"/g)?.length, 1)
  })

  it("the example app is synthesized by CDK's command line", async (t) => {
    const python = await virtualEnvironment(t)
    if (python === undefined) return
    const output = temporaryFolder(t)
    const cdk = join(WORKSPACE, 'node_modules/aws-cdk/bin/cdk')
    const args = [cdk, 'synth', '--quiet', '--output', output, '--app', `${python.path} app.py`]
    run('node', args, { cwd: join(PACKAGE, 'examples', 'python') })
    const template = readFileSync(join(output, 'PythonService.template.json'), 'utf8')
    assert.match(template, /"Type": "Custom::SociIndex"/)
  })
})

/** A stack of what README shows, with what it takes for granted. */
const pythonApp = (code: string) => `import aws_cdk as cdk
from aws_cdk import aws_ecs as ecs
${code.match(/^(from|import) .*$/gm)?.join('\n')}

class Snippet(cdk.Stack):
    def __init__(self, scope, id):
        super().__init__(scope, id)
        task_definition = ecs.FargateTaskDefinition(self, "Task")
${code
  .replace(/^(from|import) .*$/gm, '')
  .trim()
  .replace(/^/gm, '        ')}

app = cdk.App()
Snippet(app, "Snippet")
app.synth()
`

/** Names of the cloud assembly's assets: hashes of what is in them. */
const assetsOf = (folder: string) =>
  readdirSync(folder)
    .filter((name) => name.startsWith('asset.'))
    .sort()
