// Layers that real tools make: gzip compressors over one tar, tar writers over one tree. Their bytes depend on the tools'
// versions, so a layer that exists is left alone, and origin.json keeps the version that made it.
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { prose } from '../lib/bytes.mjs'
import { entry, tar } from '../lib/tar.mjs'
import { repeat } from './sample.mjs'

const spans = [0, 1, 10_000, 32768, 65536, 4194304]

/** [name, what it is, command over in.tar that makes $OUT, the command that tells its version] */
const compressors = [
  ['gzip-1', 'GNU gzip, fastest', 'gzip -1nc in.tar > $OUT', 'gzip --version'],
  ['gzip-6', 'GNU gzip', 'gzip -6nc in.tar > $OUT', 'gzip --version'],
  ['gzip-9', 'GNU gzip, best', 'gzip -9nc in.tar > $OUT', 'gzip --version'],
  ['gzip-name', 'GNU gzip with name and time', 'gzip -6c in.tar > $OUT', 'gzip --version'],
  ['gzip-rsyncable', 'GNU gzip, rsyncable', 'gzip -6nc --rsyncable in.tar > $OUT', 'gzip --version'],
  ['gzip-concatenated', 'members joined by cat', '(gzip -6nc in.tar; printf "" | gzip -n) > $OUT', 'gzip --version'],
  ['pigz', 'pigz, blocks of 32 KiB', 'pigz -p2 -b32 -nTc in.tar > $OUT', 'pigz --version'],
  ['pigz-independent', 'pigz, independent blocks', 'pigz -p2 -b32 -i -nTc in.tar > $OUT', 'pigz --version'],
  ['pigz-rsyncable', 'pigz, rsyncable', 'pigz -p2 -R -nTc in.tar > $OUT', 'pigz --version'],
  ['pigz-1-thread', 'pigz with one thread', 'pigz -p1 -nTc in.tar > $OUT', 'pigz --version'],
  ['pigz-11', "pigz with zopfli's search", 'pigz -p2 -11 -b32 -I1 -nTc in.tar > $OUT', 'pigz --version'],
  ['pigz-huffman', 'pigz, Huffman codes only', 'pigz -H -nTc < small.tar > $OUT', 'pigz --version'],
  ['pigz-rle', 'pigz, runs only', 'pigz -U -nTc < small.tar > $OUT', 'pigz --version'],
  ['pigz-name', 'pigz with name and time', 'pigz -p2 -b32 -c in.tar > $OUT', 'pigz --version'],
  ['pigz-zlib-refused', 'pigz writing zlib: no gzip', 'pigz -z -c in.tar > $OUT', 'pigz --version'],
  ['bgzip', 'bgzip: FEXTRA in every member, an empty one last', 'bgzip -c in.tar > $OUT', 'bgzip --version'],
  ['zopfli', 'zopfli', 'zopfli --i3 -c in.tar > $OUT', 'dpkg-query -W zopfli'],
  ['igzip-0', 'ISA-L, fastest', 'igzip -0 -n -c in.tar > $OUT', 'igzip --version'],
  ['igzip-1', 'ISA-L', 'igzip -1 -n -c in.tar > $OUT', 'igzip --version'],
  ['igzip-3', 'ISA-L, best', 'igzip -3 -n -c in.tar > $OUT', 'igzip --version'],
  ['libdeflate-1', 'libdeflate, fastest', 'libdeflate-gzip -1 -c in.tar > $OUT', 'libdeflate-gzip -V'],
  ['libdeflate-6', 'libdeflate', 'libdeflate-gzip -6 -c in.tar > $OUT', 'libdeflate-gzip -V'],
  ['libdeflate-12', 'libdeflate, best', 'libdeflate-gzip -12 -c in.tar > $OUT', 'libdeflate-gzip -V'],
  ['7z', '7-Zip', '7z a -tgzip -mx=7 $OUT in.tar > /dev/null', 'dpkg-query -W p7zip-full'],
  ['zstd-gzip', 'zstd writing gzip', 'zstd -q --format=gzip -c in.tar > $OUT', 'zstd --version'],
  ['busybox', 'busybox gzip', 'busybox gzip -c < in.tar > $OUT', 'busybox'],
  [
    'perl',
    "Perl's IO::Compress::Gzip",
    `perl -MIO::Compress::Gzip=gzip -e 'gzip "in.tar" => $ENV{OUT}, Minimal => 1'`,
    'perl --version',
  ],
  [
    'python-gzip',
    "Python's gzip module",
    python('o=open(os.environ["OUT"],"wb"); f=gzip.GzipFile("in.tar","wb",9,o,0); f.write(data); f.close(); o.close()'),
    'python3 --version',
  ],
  [
    'python-zlib-flush',
    'zlib with sync and full flushes',
    python(
      'c=zlib.compressobj(6,8,31); w(b"".join(c.compress(data[i:i+9000])+c.flush(zlib.Z_SYNC_FLUSH if i%18000 else zlib.Z_FULL_FLUSH) for i in range(0,len(data),9000))+c.flush())',
    ),
    'python3 --version',
  ],
  [
    'python-zlib-partial',
    'zlib with partial flushes',
    python(
      'c=zlib.compressobj(6,8,31); w(b"".join(c.compress(data[i:i+9000])+c.flush(1) for i in range(0,len(data),9000))+c.flush())',
    ),
    'python3 --version',
  ],
  [
    'python-zlib-window-9',
    'zlib with a window of 512 bytes',
    python('c=zlib.compressobj(6,8,25,1); w(c.compress(open("small.tar","rb").read())+c.flush())'),
    'python3 --version',
  ],
  [
    'python-zlib-fixed',
    'zlib with fixed codes',
    python('c=zlib.compressobj(6,8,31,8,4); w(c.compress(data)+c.flush())'),
    'python3 --version',
  ],
  [
    'python-zlib-0',
    'zlib, stored',
    python('c=zlib.compressobj(0,8,31); w(c.compress(open("small.tar","rb").read())+c.flush())'),
    'python3 --version',
  ],
  [
    'python-isal',
    'python-isal',
    python('w(isal.igzip.compress(data,2,mtime=0))', 'isal.igzip'),
    'python3 -c "import isal; print(isal.__version__)"',
  ],
  [
    'python-zlib-ng',
    'zlib-ng',
    python('c=zlib_ng.zlib_ng.compressobj(6,8,31); w(c.compress(data)+c.flush())', 'zlib_ng.zlib_ng'),
    'python3 -c "import zlib_ng; print(zlib_ng.__version__)"',
  ],
  [
    'mgzip',
    'mgzip: members with FEXTRA',
    python('f=mgzip.open(os.environ["OUT"],"wb",thread=2,blocksize=30000); f.write(data); f.close()', 'mgzip'),
    'dpkg-query -W python3',
  ],
  ...[-2, 0, 1, 6, 9].map((level) => [
    `go-${level === -2 ? 'huffman' : level}`,
    `Go's compress/gzip, level ${level}`,
    go({ library: 'go', level, ...(level < 1 && { input: 'small.tar' }) }),
    'go version',
  ]),
  [
    'go-flush',
    "Go's compress/gzip with flushes",
    go({ library: 'go', level: 6, flushAt: [1, 5000, 5000, 32768, 65536] }),
    'go version',
  ],
  [
    'go-headers',
    "Go's compress/gzip with every header field",
    go({ library: 'go', level: 6, name: 'é.tar', comment: 'c', extra: 'AAEC' }),
    'go version',
  ],
  ...[-3, -2, 1, 3, 5, 7, 9].map((level) => [
    `klauspost-${level < 0 ? ['stateless', 'huffman'][level + 3] : level}`,
    `klauspost/compress, level ${level}`,
    go({ library: 'klauspost', level, ...(level === -2 && { input: 'small.tar' }) }),
    'go version',
  ]),
  [
    'pgzip',
    'pgzip, as BuildKit-like tools use it',
    go({ library: 'pgzip', level: 6, blockSize: 40_000 }),
    'go version',
  ],
  [
    'pgzip-flush',
    'pgzip with flushes',
    go({ library: 'pgzip', level: 5, blockSize: 40_000, flushAt: [1000, 50_000] }),
    'go version',
  ],
  ['node-6', "Node's zlib", node('{}'), 'node --version'],
  ['node-memlevel-1', "Node's zlib with the smallest blocks", node('{ memLevel: 1 }'), 'node --version'],
  ['node-huffman', "Node's zlib, Huffman codes only", node('{ strategy: 2 }', 'small.tar'), 'node --version'],
  ['node-rle', "Node's zlib, runs only", node('{ strategy: 3 }', 'small.tar'), 'node --version'],
  ['xz', 'xz declared gzip', 'xz -c in.tar > $OUT', 'xz --version'],
  ['bzip2', 'bzip2 declared gzip', 'bzip2 -c in.tar > $OUT', 'bzip2 --version'],
  ['zstd', 'zstd declared gzip', 'zstd -q -c in.tar > $OUT', 'zstd --version'],
  [
    'zip',
    'a zip archive declared gzip',
    '7z a -tzip $OUT.zip in.tar > /dev/null && mv $OUT.zip $OUT',
    'dpkg-query -W p7zip-full',
  ],
]

/** [name, what it is, command in tree/ that makes $OUT (a tar), the command that tells its version] */
const archivers = [
  ...['v7', 'oldgnu', 'gnu', 'ustar', 'posix'].map((format) => [
    `gnutar-${format}`,
    `GNU tar, format ${format}`,
    `tar --format=${format} --sort=name -cf $OUT ${{ v7: 'tail short/a short/dir short/link short/hard', ustar: 'short' }[format] ?? '.'}`,
    'tar --version',
  ]),
  [
    'gnutar-xattrs',
    'GNU tar with extended attributes',
    'tar --sort=name --xattrs --xattrs-include=* -cf $OUT .',
    'tar --version',
  ],
  ['gnutar-sparse-gnu', 'GNU tar, sparse, old format', 'tar --format=gnu -S -cf $OUT sparse.img', 'tar --version'],
  ...['0.0', '0.1', '1.0'].map((version) => [
    `gnutar-sparse-${version}`,
    `GNU tar, sparse, PAX ${version}`,
    `tar --format=posix --pax-option=delete=atime,delete=ctime -S --sparse-version=${version} -cf $OUT sparse.img tail`,
    'tar --version',
  ]),
  [
    'gnutar-global',
    'GNU tar with a global header',
    "tar --format=posix --pax-option='globexthdr.name=g,comment=hi' -cf $OUT tail",
    'tar --version',
  ],
  [
    'gnutar-pax-options',
    'GNU tar overriding records',
    "tar --format=posix --pax-option='mtime:=1.5,delete=ctime,delete=atime,uname:=' -cf $OUT tail",
    'tar --version',
  ],
  [
    'gnutar-large-ids',
    'GNU tar with ids beyond octal',
    'tar --owner=big:3000000000 --group=huge:4000000000 --sort=name -cf $OUT short',
    'tar --version',
  ],
  [
    'gnutar-negative-mtime',
    'GNU tar with a time before 1970',
    "tar --mtime='1901-01-01 00:00Z' -cf $OUT tail",
    'tar --version',
  ],
  ['gnutar-incremental', 'GNU tar, incremental: type D', 'tar -G -cf $OUT short', 'tar --version'],
  ['gnutar-volume-label', 'GNU tar with a label: type V', 'tar -V label -cf $OUT tail', 'tar --version'],
  [
    'gnutar-append',
    'GNU tar, appended',
    'tar -cf $OUT tail && tar -rf $OUT short/a && tar -rf $OUT tail',
    'tar --version',
  ],
  [
    'gnutar-concatenated',
    'two tars joined by cat: the second is not seen',
    '(tar -cf - tail; tar -cf - short) > $OUT',
    'tar --version',
  ],
  ['gnutar-absolute', 'GNU tar with absolute names', "tar -P --transform='s,^,/,' -cf $OUT tail", 'tar --version'],
  ...['ustar', 'pax', 'gnutar', 'v7', 'oldtar'].map((format) => [
    `bsdtar-${format}`,
    `bsdtar, format ${format}`,
    `bsdtar --format ${format} -cf $OUT ${format === 'pax' || format === 'gnutar' ? '.' : 'short'}`,
    'bsdtar --version',
  ]),
  ['bsdtar-cpio', 'a cpio archive', 'bsdtar --format cpio -cf $OUT short', 'bsdtar --version'],
  ['pax-ustar', "MirBSD's pax", 'pax -w -x ustar -f $OUT short', 'dpkg-query -W pax'],
  [
    'cpio-ustar',
    'GNU cpio writing ustar',
    'find short | LC_ALL=C sort | cpio -o -H ustar -O $OUT 2>/dev/null',
    'cpio --version',
  ],
  [
    'cpio-tar',
    'GNU cpio writing old tar',
    'find short | LC_ALL=C sort | cpio -o -H tar -O $OUT 2>/dev/null',
    'cpio --version',
  ],
  ['busybox-tar', 'busybox tar', 'busybox tar -cf $OUT .', 'busybox'],
  ['7z-tar', '7-Zip', '7z a -ttar $OUT tail short/a short/dir > /dev/null', 'dpkg-query -W p7zip-full'],
  ...['USTAR', 'GNU', 'PAX'].map((format) => [
    `python-${format.toLowerCase()}`,
    `Python's tarfile, ${format}`,
    `python3 -c 'import os,tarfile; t=tarfile.open(os.environ["OUT"],"w",format=tarfile.${format}_FORMAT); t.add("${format === 'USTAR' ? 'short' : '.'}")'`,
    'python3 --version',
  ]),
  [
    'python-pax-headers',
    "Python's tarfile with odd PAX records",
    `python3 -c 'import os,tarfile; t=tarfile.open(os.environ["OUT"],"w",format=tarfile.PAX_FORMAT); i=t.gettarinfo("tail"); i.pax_headers={"__proto__":"p","10":"a","9":"b","SCHILY.xattr.user.é":"ü","comment":"\\u2028"}; i.mtime=1.123456789; i.name="n\\udcff"; t.addfile(i,open("tail","rb"))'`,
    'python3 --version',
  ],
  [
    'python-pax-global',
    "Python's tarfile with a global header",
    `python3 -c 'import os,tarfile; t=tarfile.open(os.environ["OUT"],"w",format=tarfile.PAX_FORMAT,pax_headers={"comment":"g"}); t.add("tail")'`,
    'python3 --version',
  ],
  [
    'git-archive',
    'git archive: a global header',
    'git init -q $TMP/r && cp tail $TMP/r/ && cd $TMP/r && git add . && GIT_AUTHOR_DATE="1700000000 +0000" GIT_COMMITTER_DATE="1700000000 +0000" git -c user.name=n -c user.email=e commit -qm m && git archive HEAD > $OUT',
    'git --version',
  ],
  [
    'npm-pack',
    'npm pack (node-tar)',
    `mkdir $TMP/p && cp tail $TMP/p/ && echo '{"name":"p","version":"1.0.0"}' > $TMP/p/package.json && cd $TMP/p && npm pack --silent > /dev/null && gzip -dc p-1.0.0.tgz > $OUT`,
    'npm --version',
  ],
  ...['', 'ustar', 'pax', 'gnu'].map((format) => [
    `go-${format || 'auto'}`,
    `Go's archive/tar, ${format || 'its own choice'}`,
    goTar(format),
    'go version',
  ]),
]

function python(script, module = 'zlib') {
  return `python3 -c 'import gzip,os,zlib,${module}; data=open("in.tar","rb").read(); w=lambda b: open(os.environ["OUT"],"wb").write(b); ${script}'`
}

function go(request) {
  return `echo '${JSON.stringify({ input: 'in.tar', ...request })}' | sed "s,^{,{\\"output\\":\\"$OUT\\"\\,," | $ORACLE gzip | grep -qx {}`
}

function goTar(format) {
  const long = `${'directory/'.repeat(14)}file`
  const plain = { mode: 0o644, seconds: 1_700_000_000 }
  const entries = [
    { ...plain, name: 'dir/', type: '5', mode: 0o755, uname: 'root', gname: 'root' },
    { ...plain, name: format === 'ustar' ? long : `é/${long}`, content: 'long' },
    { ...plain, name: 'link', type: '2', linkname: format === 'ustar' ? 'near' : long },
    { ...plain, name: 'dev', type: '3', major: 1, minor: 5 },
    { ...plain, name: 'hard', type: '1', linkname: 'link' },
    { ...plain, name: 'empty' },
    ...(format === 'ustar' ? [] : [{ ...plain, name: 'ids', uid: 3_000_000_000, gid: 2_097_152, content: 'x' }]),
    ...(format === 'ustar' || format === 'gnu'
      ? []
      : [
          {
            ...plain,
            name: 'xattr',
            nanos: 123_000_000,
            format: 'pax',
            records: { 'SCHILY.xattr.user.a': 'b', 'SCHILY.xattr.security.capability': '\u0001' },
            content: 'x',
          },
        ]),
  ]
  return `echo '${JSON.stringify({ entries: entries.map((e) => ({ format, ...e })) })}' | sed "s,^{,{\\"output\\":\\"$OUT\\"\\,," | $ORACLE tar | grep -qx {}`
}

function node(options, input = 'in.tar') {
  return `node -e 'let fs=require("fs"); fs.writeFileSync(process.env.OUT, require("zlib").gzipSync(fs.readFileSync("${input}"), ${options}))'`
}

/** { layer, about, command, version, spans, compression, kind } of every layer that a tool makes. */
export const producers = [
  ...compressors.map(([name, about, command, version]) => ({
    layer: `tool-${name}.tar.gz`,
    about,
    command,
    version,
    spans,
    compression: 'gzip',
    kind: 'compressor',
  })),
  ...archivers.map(([name, about, command, version]) => ({
    layer: `tool-${name}.tar.gz`,
    about,
    command,
    version,
    spans: [4194304],
    compression: 'gzip',
    kind: 'archiver',
  })),
]

/**
 * Runs the tools for the given producers, writing their layers into `folder`.
 * @returns what made each layer, by its name; those whose tool is missing or fails are left out, with the reason on stderr.
 */
export function makeProduced(wanted, folder, oracle, pack) {
  const made = {}
  if (wanted.length === 0) return made
  const temporary = mkdtempSync(join(tmpdir(), 'vectors-'))
  try {
    makeInputs(temporary)
    for (const { layer, command, version, kind } of wanted) {
      const output = join(temporary, kind === 'archiver' ? 'out.tar' : 'out.gz')
      rmSync(output, { force: true })
      const run = (script) =>
        execFileSync('bash', ['-o', 'pipefail', '-c', script], {
          cwd: kind === 'archiver' ? join(temporary, 'tree') : temporary,
          env: { ...process.env, LC_ALL: 'C.UTF-8', TZ: 'UTC', OUT: output, TMP: temporary, ORACLE: oracle },
          encoding: 'utf8',
          timeout: 60_000,
          stdio: ['ignore', 'pipe', 'pipe'],
        })
      try {
        run(command)
        pack(output, join(folder, layer), kind)
        const says = run(`${version} 2>&1 | grep -m1 '[0-9]' || true`).trim()
        made[layer] = `${command} (${says})`
      } catch (error) {
        process.stderr.write(`${layer}: not made: ${error.stderr || error.message}\n`)
      }
    }
  } finally {
    rmSync(temporary, { recursive: true })
  }
  return made
}

/** in.tar and small.tar (for what compresses badly) for compressors, tree/ for archivers. */
function makeInputs(folder) {
  const body = repeat(prose(21, 12_000), 50_000)
  const input = tar(entry('a', {}, body), entry('b', {}, repeat(prose(22, 9000), 40_000)), entry('c', {}, 'end\n'))
  writeFileSync(join(folder, 'in.tar'), input)
  writeFileSync(join(folder, 'small.tar'), tar(entry('a', {}, prose(24, 15_000)), entry('b', {}, 'end\n')))
  const tree = join(folder, 'tree')
  const inTree = (name) => join(tree, name)
  mkdirSync(inTree('short/dir'), { recursive: true })
  mkdirSync(inTree(`long/${'directory/'.repeat(12)}`), { recursive: true })
  writeFileSync(inTree('tail'), 'after\n')
  writeFileSync(inTree('short/a'), prose(23, 700))
  writeFileSync(inTree('short/dir/empty'), '')
  symlinkSync('a', inTree('short/link'))
  linkSync(inTree('short/a'), inTree('short/hard'))
  writeFileSync(inTree(`long/${'directory/'.repeat(12)}file`), 'long\n')
  symlinkSync('x'.repeat(120), inTree('long/link'))
  writeFileSync(inTree(`long/${'n'.repeat(100)}`), '100\n')
  writeFileSync(inTree(`long/${'n'.repeat(101)}`), '101\n')
  writeFileSync(inTree('long/é\u2028😀'), 'unicode\n')
  chmodSync(inTree('short/a'), 0o6755)
  writeFileSync(inTree('sparse.img'), 'start')
  truncateSync(inTree('sparse.img'), 300_000)
  const at = 1_700_000_000
  execFileSync(
    'bash',
    [
      '-c',
      'printf middle | dd of=sparse.img bs=4096 seek=20 conv=notrunc 2>/dev/null; truncate -s 300000 sparse.img; setfattr -n user.note -v hello tail 2>/dev/null; mkfifo short/fifo',
    ],
    { cwd: tree, stdio: 'ignore' },
  )
  const touch = (path) => {
    if (lstatSync(path).isDirectory()) for (const name of readdirSync(path)) touch(join(path, name))
    lutimesSync(path, at, at)
  }
  touch(tree)
  lutimesSync(join(folder, 'in.tar'), at, at)
}
