// gzip headers: [name, what is quirky, the layer, span sizes].
import { concat, latin1 } from '../lib/bytes.mjs'
import { gzip } from '../lib/gzip.mjs'
import { entry, zeros } from '../lib/tar.mjs'
import { few, small, spans } from './sample.mjs'

export const headers = [
  ['header-plain', 'no flag', gzip(small), spans],
  ['header-name', 'FNAME', gzip(small, { name: 'layer.tar' }), few],
  ['header-name-latin1', 'FNAME beyond ASCII', gzip(small, { name: latin1('caf\xe9') }), few],
  ['header-name-empty', 'an empty FNAME', gzip(small, { name: '' }), few],
  ['header-comment', 'FCOMMENT', gzip(small, { comment: 'a comment' }), few],
  ['header-extra', 'FEXTRA', gzip(small, { extra: [0x42, 0x43, 2, 0, 1, 2] }), few],
  ['header-extra-empty', 'an empty FEXTRA', gzip(small, { extra: [] }), few],
  ['header-extra-65535', 'the largest FEXTRA', gzip(small, { extra: zeros(65535) }), few],
  ['header-text', 'FTEXT', gzip(small, { text: true }), few],
  ['header-hcrc', 'FHCRC', gzip(small, { hcrc: true }), few],
  ['header-hcrc-wrong', 'a wrong FHCRC', gzip(small, { hcrc: 0x1234 }), few],
  [
    'header-all',
    'every flag',
    gzip(small, {
      text: true,
      name: 'n',
      comment: 'c',
      extra: [1, 2, 3, 4],
      hcrc: true,
      mtime: 1_700_000_000,
      xfl: 2,
      os: 3,
    }),
    spans,
  ],
  [
    'header-all-hcrc-wrong',
    'every flag and a wrong checksum of them',
    gzip(small, { text: true, name: 'n', comment: 'c', extra: [1], hcrc: 0 }),
    few,
  ],
  ...[0x20, 0x40, 0x80, 0xe0].map((flags) => [
    `header-reserved-${flags.toString(16)}`,
    'a reserved flag',
    gzip(small, { flags }),
    few,
  ]),
  [
    'header-reserved-later',
    'a reserved flag in the second member',
    concat(gzip(small), gzip('', { flags: 0x20 })),
    few,
  ],
  ...[510, 511, 512, 513].flatMap((size) => [
    [`header-name-${size}`, `FNAME of ${size} bytes`, gzip(small, { name: 'n'.repeat(size) }), few],
    [`header-comment-${size}`, `FCOMMENT of ${size} bytes`, gzip(small, { comment: 'c'.repeat(size) }), few],
  ]),
  [
    'header-name-512-needed',
    'FNAME of 512 bytes in a later member that the tar needs',
    concat(gzip(small.subarray(0, 700)), gzip(small.subarray(700), { name: 'n'.repeat(512) })),
    few,
  ],
  [
    'header-name-512-after-end',
    'FNAME of 512 bytes in a later member after the tar ended',
    concat(gzip(small), gzip('more', { name: 'n'.repeat(512) })),
    few,
  ],
  [
    'header-name-512-at-eof',
    'FNAME of 512 bytes after a tar without its end: the reader looks for more',
    concat(gzip(entry('f', {}, 'x')), gzip('', { name: 'n'.repeat(512) })),
    few,
  ],
  [
    'header-comment-512-after-end',
    'FCOMMENT of 512 bytes after the tar ended',
    concat(gzip(small), gzip('', { comment: 'c'.repeat(512) })),
    few,
  ],
  ['header-hcrc-later-wrong', 'a wrong FHCRC in the second member', concat(gzip(small), gzip('', { hcrc: 1 })), few],
  ['header-method-7', 'another compression method', gzip(small, { method: 7 }), few],
  ['header-magic', 'another magic', gzip(small, { magic: [0x1f, 0x9d] }), few],
  ['header-mtime-os', 'mtime, XFL and OS set', gzip(small, { mtime: 0xffffffff, xfl: 4, os: 11 }), few],
]
