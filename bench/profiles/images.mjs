// Six small images, one for each kind of program whose start `sociable profile --static` follows: Debian with what its packages, npm,
// PyPI and Go give. Made in a folder, without Docker: debootstrap, and apt in a chroot. Needs root.
import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ensure } from '../../scripts/tools.mjs'
import { writeBlob, writeLayout } from '../startup/layout.mjs'
import { packChanges, snapshot } from '../startup/pack.mjs'

const SUITE = 'bookworm'
const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

const PYTHON = `import json, logging, sqlite3
from http.server import ThreadingHTTPServer
import requests
import yaml
print(json.dumps({"requests": requests.__version__, "yaml": yaml.__version__}))
`
const NODE = `const express = require('express')
const { readFileSync } = require('node:fs')
const app = express()
app.get('/', (request, response) => response.json({ size: readFileSync(__filename).length }))
const server = app.listen(0, '127.0.0.1', () => {
  console.log('ready')
  server.close()
})
`
const JAVA = `import org.apache.commons.lang3.StringUtils;
import java.util.List;
public class Main {
  public static void main(String[] args) {
    System.out.println(StringUtils.capitalize(String.join(" ", List.of("ready", "now"))));
  }
}
`
const RUBY = `require 'json'
require 'optparse'
require 'rack'
puts JSON.generate(rack: Rack.release, args: ARGV.size)
`
const GO = `package main

import (
	"encoding/json"
	"net/http"
	"os"
)

func main() {
	http.Handle("/", http.NotFoundHandler())
	_ = json.NewEncoder(os.Stdout).Encode(map[string]string{"state": "ready"})
}
`
const SHELL = `#!/bin/sh
set -e
. /app/settings.sh
if [ -z "$NAME" ]; then
  NAME=$(hostname)
fi
mkdir -p /tmp/state
cat /app/greeting | tr a-z A-Z
exec "$@"
`

/** @type {Record<string, { packages: string[], config: object, fill: (app: string, tree: string) => void }>} */
const KINDS = {
  python: {
    packages: ['python3', 'python3-requests', 'python3-yaml'],
    config: { Entrypoint: ['python3', 'main.py'] },
    fill: (app) => writeFileSync(join(app, 'main.py'), PYTHON),
  },
  node: {
    packages: ['nodejs'],
    config: { Entrypoint: ['node', '/app/main.js'] },
    fill(app) {
      writeFileSync(join(app, 'main.js'), NODE)
      writeFileSync(join(app, 'package.json'), '{"name":"app","version":"1.0.0","dependencies":{"express":"4.21.2"}}')
      run('npm', ['install', '--omit=dev', '--no-audit', '--no-fund', '--ignore-scripts'], { cwd: app })
    },
  },
  java: {
    packages: ['openjdk-17-jre-headless', 'libcommons-lang3-java'],
    config: { Entrypoint: ['java', '-cp', '/usr/share/java/commons-lang3.jar:/app', 'Main'] },
    fill(app, tree) {
      writeFileSync(join(app, 'Main.java'), JAVA)
      const classPath = join(tree, 'usr/share/java/commons-lang3.jar')
      run('javac', ['--release', '17', '-cp', classPath, '-d', app, join(app, 'Main.java')])
    },
  },
  go: {
    packages: [],
    config: { Entrypoint: ['/app/server'] },
    fill(app) {
      writeFileSync(join(app, 'main.go'), GO)
      const env = { ...process.env, CGO_ENABLED: '0', GO111MODULE: 'off' }
      run('go', ['build', '-o', join(app, 'server'), join(app, 'main.go')], { env })
    },
  },
  ruby: {
    packages: ['ruby', 'ruby-rack'],
    config: { Entrypoint: ['ruby', '/app/main.rb'] },
    fill: (app) => writeFileSync(join(app, 'main.rb'), RUBY),
  },
  shell: {
    packages: [],
    config: { Entrypoint: ['/app/start.sh'], Cmd: ['sort', '/app/greeting'] },
    fill(app) {
      writeFileSync(join(app, 'start.sh'), SHELL)
      chmodSync(join(app, 'start.sh'), 0o755)
      writeFileSync(join(app, 'settings.sh'), 'LANG=C.UTF-8\n')
      writeFileSync(join(app, 'greeting'), 'hello\nworld\n')
    },
  },
}

/**
 * @param {string} folder what is there already is not made again
 * @returns {Promise<{ name: string, layout: string }[]>}
 */
export async function profileImages(folder, log = console.error, names = Object.keys(KINDS)) {
  mkdirSync(folder, { recursive: true })
  const base = join(folder, 'base')
  if (!existsSync(base)) {
    log('profiles: debootstrap')
    run(ensure('debootstrap'), ['--variant=minbase', SUITE, `${base}-part`])
    copyFileSync('/etc/resolv.conf', join(`${base}-part`, 'etc/resolv.conf'))
    inTree(`${base}-part`, ['apt-get', '-q', 'update'])
    run('mv', [`${base}-part`, base])
  }
  const images = []
  for (const name of names) {
    const layout = join(folder, name)
    if (!existsSync(join(layout, 'index.json'))) {
      log(`profiles: make the ${name} image`)
      await makeImage(name, base, layout, folder)
    }
    images.push({ name, layout })
  }
  return images
}

async function makeImage(name, base, layout, folder) {
  const { packages, config, fill } = KINDS[name]
  const tree = join(folder, `${name}-tree`)
  rmSync(tree, { recursive: true, force: true })
  run('cp', ['-a', base, tree])
  if (packages.length > 0) inTree(tree, ['apt-get', '-y', '-q', '--no-install-recommends', 'install', ...packages])
  rmSync(join(tree, 'var/cache/apt'), { recursive: true })
  rmSync(join(tree, 'var/lib/apt/lists'), { recursive: true })
  const app = join(tree, 'app')
  mkdirSync(app)
  fill(app, tree)
  const layer = await packChanges({ tree, before: new Map(), after: snapshot(tree), name, folder })
  mkdirSync(join(layout, 'blobs', 'sha256'), { recursive: true })
  writeBlob(layout, layer)
  writeLayout(layout, [layer], { Env: [PATH], WorkingDir: '/app', ...config })
  rmSync(tree, { recursive: true })
  rmSync(layer.path)
}

/** With /proc, which Java's packages need. */
function inTree(tree, command) {
  const script = 'mount -t proc proc "$0/proc" && exec chroot "$0" env DEBIAN_FRONTEND=noninteractive LC_ALL=C "$@"'
  run('unshare', ['--mount', '--pid', '--fork', 'sh', '-c', script, tree, ...command])
}

const run = (command, args, options = {}) =>
  execFileSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'], maxBuffer: 64 << 20, ...options })
