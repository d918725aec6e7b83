// What a Java virtual machine (HotSpot) reads at its start, and the archives of its class path.
import { inflateRawSync } from 'node:zlib'
import type { ByteRange } from '../profile.js'
import { isFile } from './image-files.js'
import type { Libraries } from './libraries.js'
import { absolute, folderOf } from './paths.js'
import type { Start } from './start.js'

/** Of the virtual machine's `lib`, in this order. */
const LIBRARIES = ['libjimage.so', 'libjava.so', 'libnio.so', 'libnet.so', 'libzip.so', 'libjsvml.so']
const MAX_JARS = 5000
const WITH_VALUE = new Set([
  '-p',
  '--module-path',
  '--upgrade-module-path',
  '--add-modules',
  '--add-reads',
  '--add-exports',
  '--add-opens',
  '-d',
  '--describe-module',
])

export async function startJava(
  start: Start,
  libraries: Libraries,
  executable: string,
  args: readonly string[],
): Promise<void> {
  const { files } = start
  const real = (await files.stat(executable))?.path ?? executable
  const home = folderOf(folderOf(real))
  const lib = `${home}/lib`
  await start.add(`${lib}/jvm.cfg`)
  await libraries.loadLibrary(`${lib}/server/libjvm.so`)
  await start.add(`${lib}/server/classes.jsa`)
  for (const name of LIBRARIES) if (await isFile(files, `${lib}/${name}`)) await libraries.loadLibrary(`${lib}/${name}`)
  await start.add(`${lib}/modules`, await indexPart(start, `${lib}/modules`))
  const variables = ['JDK_JAVA_OPTIONS', 'JAVA_TOOL_OPTIONS'].flatMap((name) =>
    (start.env.get(name) ?? '').split(/\s+/),
  )
  const { jar, classPath } = programOf([...variables.filter((text) => text !== ''), ...args])
  const pending = jar === undefined ? (classPath ?? start.env.get('CLASSPATH') ?? '.').split(':') : [jar]
  for (let i = 0; i < pending.length && i < MAX_JARS; i++) {
    const path = absolute(start.cwd, pending[i]!)
    if (pending[i]!.endsWith('/*')) {
      const folder = folderOf(path)
      pending.push(
        ...[...(await files.names(folder))].filter((name) => /\.jar$/i.test(name)).map((name) => `${folder}/${name}`),
      )
    } else if ((await isFile(files, path)) && (await start.add(path)))
      pending.push(...(await classPathOf(start, path)).map((entry) => absolute(folderOf(path), entry)))
  }
  for (const argument of args)
    if (argument.startsWith('-javaagent:')) await start.add(absolute(start.cwd, argument.slice(11).split('=')[0]!))
  if (jar === undefined) await addClass(start, pending, args)
}

interface Program {
  readonly jar?: string
  readonly classPath?: string
}

function programOf(args: readonly string[]): Program {
  let classPath: string | undefined
  for (let i = 0; i < args.length; i++) {
    const argument = args[i]!
    if (argument === '-jar') return args[i + 1] === undefined ? {} : { jar: args[i + 1]! }
    if (argument === '-cp' || argument === '-classpath' || argument === '--class-path') classPath = args[++i]
    else if (WITH_VALUE.has(argument)) i++
    else if (argument.startsWith('--class-path=')) classPath = argument.slice(13)
    else if (!argument.startsWith('-')) break
  }
  return classPath === undefined ? {} : { classPath }
}

/** The main class where it is a file in a folder. */
async function addClass(start: Start, classPath: readonly string[], args: readonly string[]): Promise<void> {
  const name = args.find(
    (argument, i) =>
      /^[A-Za-z_$][\w$.]*$/.test(argument) && !['-cp', '-classpath', '--class-path'].includes(args[i - 1] ?? ''),
  )
  if (name === undefined) return
  for (const folder of classPath) await start.add(absolute(start.cwd, `${folder}/${name.replaceAll('.', '/')}.class`))
}

/** Classes come from the shared archive (CDS); of the modules a start reads the index. Undefined for another form. */
async function indexPart(start: Start, path: string): Promise<ByteRange[] | undefined> {
  // src/java.base/share/native/libjimage/imageFile.hpp: magic, version, flags, resources, table, locations, strings
  const header = await start.files.read(path, 0, 28)
  if (header === undefined || header.length < 28) return undefined
  const isLittle = header.readUInt32LE(0) === 0xcafedada
  if (!isLittle && header.readUInt32BE(0) !== 0xcafedada) return undefined
  const [table, locations, strings] = [16, 20, 24].map((at) =>
    isLittle ? header.readUInt32LE(at) : header.readUInt32BE(at),
  )
  return [[0, 28 + table! * 8 + locations! + strings!]]
}

const MAX_DIRECTORY = 32 << 20
const MAX_MANIFEST = 1 << 20

/** `Class-Path` of a JAR's manifest. https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT */
async function classPathOf({ files }: Start, path: string): Promise<string[]> {
  const size = (await files.stat(path))!.size
  const tailStart = Math.max(0, size - 65_557)
  const tail = (await files.read(path, tailStart, size)) ?? Buffer.alloc(0)
  const end = tail.lastIndexOf('PK\u0005\u0006')
  if (end < 0 || end + 22 > tail.length) return []
  const directorySize = tail.readUInt32LE(end + 12)
  const directoryStart = tail.readUInt32LE(end + 16)
  if (directorySize > MAX_DIRECTORY) return []
  const directory = (await files.read(path, directoryStart, directoryStart + directorySize)) ?? Buffer.alloc(0)
  for (let at = 0; at + 46 <= directory.length && directory.readUInt32LE(at) === 0x02014b50; ) {
    const nameLength = directory.readUInt16LE(at + 28)
    const name = directory.toString('utf8', at + 46, at + 46 + nameLength)
    if (name === 'META-INF/MANIFEST.MF') {
      const compressedSize = Math.min(directory.readUInt32LE(at + 20), MAX_MANIFEST)
      const local = directory.readUInt32LE(at + 42)
      const header = await files.read(path, local, local + 30)
      if (header === undefined || header.length < 30) return []
      const start = local + 30 + header.readUInt16LE(26) + header.readUInt16LE(28)
      const bytes = (await files.read(path, start, start + compressedSize)) ?? Buffer.alloc(0)
      const text = directory.readUInt16LE(at + 10) === 0 ? bytes : inflate(bytes)
      const value = /^Class-Path:(.*)$/im.exec(text.toString().replace(/\r?\n /g, ''))?.[1] ?? ''
      return value
        .trim()
        .split(/\s+/)
        .filter((entry) => entry !== '')
    }
    at += 46 + nameLength + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32)
  }
  return []
}

function inflate(bytes: Buffer): Buffer {
  try {
    return inflateRawSync(bytes, { maxOutputLength: MAX_MANIFEST })
  } catch {
    return Buffer.alloc(0)
  }
}
