// A cloud assembly of the real AWS CDK: stacks with and without an environment, a stage, two platforms, a tarball and an executable.
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const ALL_KINDS = `
const { App, Stack, Stage } = require('aws-cdk-lib')
const { DockerImageAsset, Platform, TarballImageAsset } = require('aws-cdk-lib/aws-ecr-assets')
const app = new App({ analyticsReporting: false, outdir: process.argv[2] })
const env = { account: '123456789012', region: 'eu-west-1' }
const directory = process.argv[3]
const base = new Stack(app, 'Base')
new DockerImageAsset(base, 'Arm', { directory, platform: Platform.LINUX_ARM64 })
new DockerImageAsset(base, 'Amd', { directory, platform: Platform.LINUX_AMD64 })
const tar = new Stack(app, 'Tar', { env })
new TarballImageAsset(tar, 'Tarball', { tarballFile: directory + '/image.tar' })
const top = new Stack(app, 'Top', { env })
top.synthesizer.addDockerImageAsset({ sourceHash: 'executable', executable: ['./build.sh'], displayName: 'Made' })
top.addDependency(tar)
new Stack(app, 'Empty', { env })
const stage = new Stage(app, 'Prod', { env: { account: '123456789012', region: 'us-east-1' } })
new DockerImageAsset(new Stack(stage, 'Api'), 'Image', { directory })
app.synth()
`

/** Synthesizes an app into `folder`/cdk.out, and gives that folder. @param app a script that is told that folder, and one with a Dockerfile */
export function synthesize(folder: string, app = ALL_KINDS): string {
  const image = `${folder}/image`
  mkdirSync(image)
  writeFileSync(`${image}/Dockerfile`, 'FROM scratch\\n')
  writeFileSync(`${image}/image.tar`, 'a tarball')
  const script = `${folder}/app.cjs`
  writeFileSync(script, app)
  const modules = fileURLToPath(new URL('../../../../../node_modules', import.meta.url))
  const assembly = `${folder}/cdk.out`
  execFileSync(process.execPath, [script, assembly, image], {
    env: { ...process.env, NODE_PATH: modules },
    stdio: 'pipe',
  })
  return assembly
}
