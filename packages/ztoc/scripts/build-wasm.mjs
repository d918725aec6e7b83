// Compiles assembly/inflate.ts to WebAssembly, once for a memory of its own and once for one that threads share, and writes both as a TypeScript
// module (base64, some 10 KB), so that no file has to be found at run time, not even out of a bundle. Does nothing when the output is newer.
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const source = `${root}assembly/inflate.ts`
const output = `${root}src/generated/inflate-wasm.ts`
const script = fileURLToPath(import.meta.url)
const newest = Math.max(statSync(source).mtimeMs, statSync(script).mtimeMs)

if (!existsSync(output) || statSync(output).mtimeMs < newest) {
  const { default: asc } = await import('assemblyscript/asc')
  const compile = async (flags) => {
    const files = new Map([['inflate.ts', readFileSync(source, 'utf8')]])
    const { error, stderr } = await asc.main(
      // Everything in memory is placed by hand below AREA, so the compiler's own data (there is none) goes behind it. The size is fixed, so that views stay attached.
      [
        'inflate.ts',
        '-O3',
        '--runtime',
        'stub',
        '--noAssert',
        '--memoryBase',
        '65536',
        '--enable',
        'simd',
        '--importMemory',
        ...flags,
        '--outFile',
        'out.wasm',
      ],
      {
        readFile: (name) => files.get(name) ?? null,
        writeFile: (name, contents) => files.set(name, contents),
        listFiles: () => [],
      },
    )
    if (error) throw new Error(`${error.message}\n${stderr.toString()}`)
    return Buffer.from(files.get('out.wasm')).toString('base64')
  }
  const own = await compile([])
  const shared = await compile(['--enable', 'threads', '--sharedMemory', '--maximumMemory', '65535'])
  mkdirSync(`${root}src/generated`, { recursive: true })
  writeFileSync(
    output,
    `// Made by scripts/build-wasm.mjs from assembly/inflate.ts.\nexport const OWN_MEMORY =\n  '${own}'\nexport const SHARED_MEMORY =\n  '${shared}'\n`,
  )
}

// The zstd encoder of @bokuweb/zstd-wasm (libzstd compiled by Emscripten), embedded in the same way. Its exact version is pinned: compressed layers have
// the same digest on every machine only as long as these bytes stay.
const encoder = fileURLToPath(import.meta.resolve('@bokuweb/zstd-wasm')).replace(/[^/\\]*$/, 'zstd.wasm')
const encoderOutput = `${root}src/generated/zstd-wasm.ts`
if (
  !existsSync(encoderOutput) ||
  statSync(encoderOutput).mtimeMs < Math.max(statSync(encoder).mtimeMs, statSync(script).mtimeMs)
) {
  mkdirSync(`${root}src/generated`, { recursive: true })
  const code = readFileSync(encoder).toString('base64')
  writeFileSync(
    encoderOutput,
    `// Made by scripts/build-wasm.mjs from @bokuweb/zstd-wasm.\nexport const ZSTD_ENCODER =\n  '${code}'\n`,
  )
}
