// A whole image where it lives, in a registry: `sociable convert` against what has been done so far, `crane pull`, the reference's
// `soci convert --standalone` and `crane push`; against the same image from a layout; through a link; and a second time.
import { execFileSync, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildSoci } from '../conformance/build.mjs'
import { startDockerRegistry } from '../packages/oci/dist/test/doubles/real-registries.js'
import { tool } from '../packages/oci/dist/test/tools.js'
import { benchInputs } from './inputs.mjs'
import { compare, sameAnswer } from './measure.mjs'
import { sociable } from './sociable.mjs'
import { megabytes, seconds, table, times } from './table.mjs'

const LAYOUT = 'layout to layout: sociable convert'
const LINK = 'through a link of 60 MB/s and 3 ms: sociable convert'
const DOWNLOAD = 'through that link: only the download of the layers that are indexed'
const AGAIN = 'docker-registry: sociable convert once more'
const convertIn = (registry) => `${registry}: sociable convert`
const threeStepsIn = (registry) => `${registry}: crane pull, soci convert, crane push`

/** So that both make the same image. */
const LIKE_SOCI = ['--build-tool', 'AWS SOCI CLI v0.2']
const READ_AHEAD = 64 << 20
const MIN_LAYER_SIZE = 10 << 20 // what is smaller is not indexed, and not read
const THREE_STEPS =
  '"$CRANE" pull --format=oci "$1" "$2/in" && "$SOCI" convert --standalone --format oci-dir --all-platforms "$2/in" "$2/out" >/dev/null && "$CRANE" push "$2/out" "$1-soci"'

/** @returns {Promise<{ text: string, data: object, goals: [string, boolean][] }>} as `benchLayers` */
export async function benchRegistry({ rounds, temporary, log }) {
  const { image } = await benchInputs(log)
  const layers = layersOf(image)
  const size = layers.reduce((sum, layer) => sum + layer.size, 0)
  const ends = []
  try {
    const registries = await startRegistries(image, temporary, ends, log)
    const { contenders, missing } = await contendersFor(registries, { image, layers, temporary, ends })
    const result = await compare(contenders, { rounds, log: (text) => log(`registry, ${text}`) })
    const traffic = await countTraffic(registries[0], ends)
    const text = [
      `**An image in a registry** on this machine, ${megabytes(size)} compressed; "written" is what went to disk`,
      describe(result, registries),
      describeTraffic(traffic, size),
      ...missing.map((reason) => `Left out: ${reason}.`),
    ].join('\n\n')
    return { text, data: { size, result, traffic }, goals: goalsOf(result, registries, traffic, size) }
  } finally {
    for (const end of ends.reverse()) await end()
  }
}

/** Registries that have the image as `app:1`, each a process of its own. */
async function startRegistries(image, temporary, ends, log) {
  const registries = []
  process.env.TMPDIR = temporary // the doubles' folders: on the inputs' file system
  const docker = await startDockerRegistry({ after: (end) => ends.push(end), skip: (reason) => log(reason) })
  if (docker === undefined) throw new Error('the registry part needs docker-registry')
  registries.push({ name: 'docker-registry', host: docker.host })
  registries.push({ name: 'sociable serve', host: await startOurs(join(temporary, 'served'), ends) })
  for (const { name, host } of registries) {
    log(`registry: the image goes to ${name}`)
    run([...sociable, 'copy', '--quiet', `oci:${image}:latest`, `${host}/app:1`])
  }
  return registries
}

async function startOurs(folder, ends) {
  mkdirSync(folder)
  const [command, ...args] = sociable
  const child = spawn(command, [...args, 'serve', '--quiet', folder], { stdio: ['ignore', 'pipe', 'inherit'] })
  ends.push(() => stop(child))
  const [host] = await once(child.stdout, 'data')
  return String(host).trim()
}

async function startBetween(kind, target, ends) {
  const child = fork(fileURLToPath(new URL('between.mjs', import.meta.url)), [kind, target])
  ends.push(() => stop(child))
  const [{ host }] = await once(child, 'message')
  const counts = async () => {
    const answer = once(child, 'message')
    child.send('counts')
    return (await answer)[0]
  }
  return { host, counts }
}

async function stop(child) {
  const ended = once(child, 'exit')
  child.kill()
  await ended
}

async function contendersFor(registries, { image, layers, temporary, ends }) {
  const check = sameAnswer()
  const checked = (name) => (stdout) => void check(name, /sha256:[0-9a-f]{64}/.exec(stdout)?.[0])
  // Each run in a repository that was never converted in: its layers are mounted from the first, which costs the run nothing
  let repositories = 0
  const inFresh = (direct, name, command, host = direct) => {
    const args = [...command, '']
    return {
      name,
      command: args,
      check: checked(name),
      before() {
        const repository = `run-${++repositories}`
        run([...sociable, 'copy', '--quiet', `${direct}/app:1`, `${direct}/${repository}:1`])
        args[args.length - 1] = `${host}/${repository}:1`
      },
    }
  }
  const convert = [...sociable, 'convert', '--quiet']
  const output = join(temporary, 'layout')
  const link = await startBetween('link', registries[0].host, ends)
  const contenders = [
    {
      name: LAYOUT,
      command: [...convert, ...LIKE_SOCI, `oci:${image}:latest`, `oci:${output}:latest-soci`],
      check: checked(LAYOUT),
      before: () => rmSync(output, { recursive: true, force: true }),
    },
    ...registries.map(({ name, host }) => inFresh(host, convertIn(name), [...convert, ...LIKE_SOCI])),
    inFresh(registries[0].host, LINK, [...convert, ...LIKE_SOCI], link.host),
    {
      name: DOWNLOAD,
      command: [
        process.execPath,
        fileURLToPath(new URL('download.mjs', import.meta.url)),
        ...layers
          .filter((layer) => layer.size >= MIN_LAYER_SIZE)
          .map(({ digest }) => `http://${link.host}/v2/app/blobs/${digest}`),
      ],
    },
  ]
  run([...convert, `${registries[0].host}/app:1`])
  contenders.push({ name: AGAIN, command: [...convert, `${registries[0].host}/app:1`] })
  const steps = await threeSteps(join(temporary, 'steps'))
  if (steps.missing !== undefined) return { contenders, missing: [steps.missing] }
  for (const { name, host } of registries) {
    const fresh = inFresh(host, threeStepsIn(name), [])
    const command = [...steps.command, fresh.command]
    contenders.push({
      ...fresh,
      command,
      before() {
        fresh.before()
        steps.before()
        command.splice(steps.command.length, Number.POSITIVE_INFINITY, fresh.command.at(-1), steps.folder)
      },
    })
  }
  return { contenders, missing: [] }
}

async function threeSteps(folder) {
  let missing
  const crane = await tool({ skip: (reason) => (missing = reason) }, 'crane')
  if (crane === undefined) return { missing }
  try {
    return {
      command: ['env', `CRANE=${crane}`, `SOCI=${buildSoci()}`, 'sh', '-c', THREE_STEPS, 'sh'],
      folder,
      before() {
        rmSync(folder, { recursive: true, force: true })
        mkdirSync(folder)
      },
    }
  } catch (error) {
    return { missing: error.message }
  }
}

/** Requests and bytes of a first and a second run. */
async function countTraffic({ host }, ends) {
  const counter = await startBetween('counter', host, ends)
  run([...sociable, 'copy', '--quiet', `${host}/app:1`, `${host}/counted:1`])
  const traffic = {}
  for (const name of ['first run', 'second run']) {
    // Not synchronously: it would be in the way of the counter's messages
    const child = spawn(sociable[0], [...sociable.slice(1), 'convert', '--quiet', `${counter.host}/counted:1`], {
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    const [status] = await once(child, 'exit')
    if (status !== 0) throw new Error(`the ${name} ended with status ${status}`)
    traffic[name] = await counter.counts()
  }
  return traffic
}

function goalsOf(result, registries, traffic, size) {
  const goals = []
  const goal = (text, found, reached) => goals.push([`registry: ${text}: ${found}`, reached])
  const wall = (name) => result[name].seconds
  for (const { name } of registries) {
    const ratio = wall(convertIn(name)) / wall(LAYOUT)
    goal(`${name}: at most 1.15 × the time from a layout`, times(ratio), ratio <= 1.15)
    const { memory } = result[convertIn(name)]
    const allowed = result[LAYOUT].memory + READ_AHEAD
    goal(`${name}: peak RSS at most ${megabytes(allowed)}`, megabytes(memory), memory <= allowed)
    if (result[threeStepsIn(name)] === undefined) continue
    const speed = wall(threeStepsIn(name)) / wall(convertIn(name))
    goal(`${name}: at least 6 × faster than crane, soci and crane`, times(speed), speed >= 6)
    const { written } = result[convertIn(name)]
    goal(`${name}: nothing on disk`, megabytes(written), written < 1e6)
  }
  const link = wall(LINK) / wall(DOWNLOAD)
  goal('link: at most 1.10 × the download', times(link), link <= 1.1)
  goal('once more: under 1 s', seconds(wall(AGAIN)), wall(AGAIN) < 1)
  const { down, up } = traffic['second run']
  const share = (down + up) / size
  goal("once more: under 1 % of the image's bytes", `${(share * 100).toFixed(4)} %`, share < 0.01)
  return goals
}

function describe(result, registries) {
  const ours = (name) =>
    [LINK, DOWNLOAD].includes(name)
      ? LINK
      : convertIn(registries.find((registry) => name.startsWith(registry.name))?.name)
  const rows = Object.entries(result).map(([name, sample]) => [
    name,
    seconds(sample.seconds),
    seconds(sample.cpu),
    megabytes(sample.memory),
    megabytes(sample.written),
    result[ours(name)] === undefined || name === AGAIN ? '' : times(sample.seconds / result[ours(name)].seconds),
    times(sample.seconds / result[LAYOUT].seconds),
  ])
  return table(['', 'wall', 'CPU', 'peak RSS', 'written', 'wall, ours = 1', 'wall, layout = 1'], rows)
}

function describeTraffic(traffic, size) {
  const rows = Object.entries(traffic).map(([name, { requests, down, up }]) => [
    name,
    requests,
    down,
    up,
    `${(((down + up) / size) * 100).toFixed(4)} %`,
  ])
  return table(['docker-registry', 'requests', 'bytes down', 'bytes up', "of the image's"], rows)
}

function layersOf(layout) {
  const read = (file) => JSON.parse(readFileSync(join(layout, file), 'utf8'))
  return read(`blobs/${read('index.json').manifests[0].digest.replace(':', '/')}`).layers
}

function run([command, ...args]) {
  execFileSync(command, args, { stdio: ['ignore', 'ignore', 'inherit'] })
}
