// A made-up image for the report's tests.
import { FILE_DIRECTORY, FILE_LINK, FILE_READ, type ReportData } from '../../src/report/report-data.js'

/** @param fileCount files, in folders of 100 */
export function sampleReport(fileCount: number, image = 'registry.example/app:1-soci'): ReportData {
  const names = ['', 'usr', 'etc']
  const parents = [0, 0, 0]
  const sizes = [0, 0, 0]
  const layers = [-1, 0, 0]
  const flags = [FILE_DIRECTORY, FILE_DIRECTORY, FILE_DIRECTORY]
  const add = (name: string, parent: number, size: number, layer: number, flag: number) => {
    names.push(name)
    parents.push(parent)
    sizes.push(size)
    layers.push(layer)
    flags.push(flag)
    return names.length - 1
  }
  add('os-release', 2, 267, 0, FILE_READ)
  add('mtab', 2, 0, 0, FILE_LINK)
  let folder = 1
  for (let i = 0; i < fileCount; i++) {
    if (i % 100 === 0) folder = add(`lib${i / 100}`, 1, 0, (i / 100) % 3, FILE_DIRECTORY)
    add(
      `file${i}.so`,
      folder,
      1000 + ((i * 7919) % 100_000) * (i % 97 === 0 ? 50 : 1),
      ((i / 100) % 3) | 0,
      i % 5 === 0 ? FILE_READ : 0,
    )
  }
  const layer = (index: number, size: number, spans: number) => ({
    digest: `sha256:${String(index).repeat(64)}`,
    size,
    unpacked: size * 3,
    lazy: spans > 0,
    ...(spans === 0 && { reason: 'smaller than 10 MiB' }),
    createdBy: `RUN step ${index}`,
    spans: Array.from({ length: spans }, (_, span) => Math.floor((size * span) / spans)),
    touched:
      spans > 4
        ? ([
            [0, 1],
            [4, 4],
          ] as const)
        : [],
    ztocSize: spans * 40_000,
    files: 10 * index,
    hiddenBytes: index === 1 ? 5_000_000 : 0,
    isStartLayer: false,
  })
  return {
    image,
    platform: 'linux/amd64',
    digest: `sha256:${'a'.repeat(64)}`,
    sociVersion: 'v2',
    fargate: { eligible: true, inEcr: false, reasons: [], notes: ['accounts and regions differ'] },
    layers: [layer(1, 40_000_000, 12), layer(2, 90_000_000, 30), layer(3, 2_000_000, 0)],
    files: { names, parents, sizes, layers, flags },
    profile: { files: 12, missing: 2, bytes: 43_000_000, spanBytes: 16_000_000 },
    starts: [
      { name: 'full pull', seconds: 9.6, bytes: 134_000_000, requests: 12, isCurrent: false },
      { name: 'SOCI index', seconds: 3.3, bytes: 52_000_000, requests: 40, isCurrent: true },
    ],
    wastes: [
      {
        kind: 'hidden',
        bytes: 5_000_000,
        title: '/usr/lib/old.so is in layer 1 and replaced by layer 2',
        detail: 'Remove it in the step that adds it.',
      },
    ],
    commands: [{ command: `sociable convert ${image} --profile start.json`, does: 'Add a start layer' }],
  }
}
