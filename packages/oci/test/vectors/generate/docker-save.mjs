// Prints an archive in the older form of `docker save`: two images, one with two names, layers in folders, a layer that is a link to another
// image's, one that is compressed as crane does it. Needs the package to be built.
import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { tar } from '../../../dist/test/tar-writer.js'

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex')
const layer = (name, data) => tar([{ name, data }])
const config = (architecture, layers) =>
  JSON.stringify({ architecture, os: 'linux', rootfs: { type: 'layers', diff_ids: layers.map((bytes) => `sha256:${sha256(bytes)}`) } })

const [base, app, tool] = [layer('etc/base', 'base'), layer('app', 'app'.repeat(400)), layer('tool', 'tool')]
const [first, second] = [config('amd64', [base, app]), config('arm64', [base, tool])]
process.stdout.write(
  tar([
    { name: 'one/', type: '5' },
    { name: 'one/VERSION', data: '1.0' },
    { name: 'one/layer.tar', data: base },
    { name: 'two/layer.tar', data: app },
    { name: 'three/layer.tar', type: '2', linkName: '../one/layer.tar' },
    { name: 'tool.tar.gz', data: gzipSync(tool, { level: 9 }) },
    { name: `${sha256(first)}.json`, data: first },
    { name: 'second.json', data: second },
    {
      name: 'manifest.json',
      data: JSON.stringify([
        { Config: `${sha256(first)}.json`, RepoTags: ['app:1', 'host.example/app:latest'], Layers: ['one/layer.tar', 'two/layer.tar'] },
        { Config: 'second.json', RepoTags: null, Layers: ['three/layer.tar', 'tool.tar.gz'] },
      ]),
    },
    { name: 'repositories', data: '{}' },
  ]),
)
