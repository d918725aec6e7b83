// Sparse files of every version: [name, what is quirky, the tar].
import { concat } from '../lib/bytes.mjs'
import { entry, gnuLong, octal, padded, pax, tar } from '../lib/tar.mjs'
import { long, tail } from './sample.mjs'

/** A PAX sparse 1.0 data section: the map, padded to blocks, then the data. */
const sparseMap = (...numbers) => padded(`${numbers.join('\n')}\n`)

export const sparse = [
  [
    'sparse-old-gnu',
    'GNU type S fails the layer',
    tar(
      entry(
        's',
        {
          dialect: 'gnu',
          type: 'S',
          patch: [
            [386, octal(0, 12)],
            [398, octal(4, 12)],
            [483, octal(1000, 12)],
          ],
        },
        'data',
      ),
      tail,
    ),
  ],
  [
    'sparse-0.0',
    'offset and numbytes records become one GNU.sparse.map record',
    tar(
      pax([
        'GNU.sparse.size=10000',
        'GNU.sparse.numblocks=2',
        'GNU.sparse.offset=0',
        'GNU.sparse.numbytes=4',
        'GNU.sparse.offset=5000',
        'GNU.sparse.numbytes=4',
      ]),
      entry('s', {}, 'datadata'),
    ),
  ],
  [
    'sparse-0.0-before-tail',
    'the same before another entry: the decoder refuses',
    tar(
      pax(['GNU.sparse.size=10000', 'GNU.sparse.numblocks=1', 'GNU.sparse.offset=0', 'GNU.sparse.numbytes=4']),
      entry('s', {}, 'data'),
      tail,
    ),
  ],
  [
    'sparse-0.0-order',
    'numbytes before offset',
    tar(
      pax(['GNU.sparse.size=10000', 'GNU.sparse.numblocks=1', 'GNU.sparse.numbytes=4', 'GNU.sparse.offset=0']),
      entry('s', {}, 'data'),
    ),
  ],
  [
    'sparse-0.0-odd',
    'an offset without numbytes',
    tar(pax(['GNU.sparse.size=10000', 'GNU.sparse.numblocks=1', 'GNU.sparse.offset=0']), entry('s', {}, 'data')),
  ],
  [
    'sparse-0.0-comma',
    'a comma in an offset',
    tar(
      pax(['GNU.sparse.size=10000', 'GNU.sparse.numblocks=1', 'GNU.sparse.offset=0,4', 'GNU.sparse.numbytes=4']),
      entry('s', {}, 'data'),
    ),
  ],
  [
    'sparse-0.0-and-map',
    'a map record beside offset records: the records win',
    tar(
      pax([
        'GNU.sparse.map=9,9',
        'GNU.sparse.size=4',
        'GNU.sparse.numblocks=1',
        'GNU.sparse.offset=0',
        'GNU.sparse.numbytes=4',
      ]),
      entry('s', {}, 'data'),
    ),
  ],
  [
    'sparse-0.1',
    'name, size and map in records',
    tar(
      pax([
        'GNU.sparse.name=real-name',
        'GNU.sparse.size=10000',
        'GNU.sparse.numblocks=2',
        'GNU.sparse.map=0,4,5000,4',
        'path=GNUSparseFile.1/real-name',
      ]),
      entry('s', {}, 'datadata'),
      tail,
    ),
  ],
  [
    'sparse-0.1-dense',
    'a sparse file without a hole loads',
    tar(
      pax(['GNU.sparse.name=real-name', 'GNU.sparse.size=4', 'GNU.sparse.numblocks=1', 'GNU.sparse.map=0,4']),
      entry('s', {}, 'data'),
      tail,
    ),
  ],
  [
    'sparse-0.1-no-name',
    'without a name the path counts',
    tar(
      pax(['path=by-path', 'GNU.sparse.size=100', 'GNU.sparse.numblocks=1', 'GNU.sparse.map=0,4']),
      entry('s', {}, 'data'),
      tail,
    ),
  ],
  [
    'sparse-0.1-gnu-long',
    'GNU.sparse.name beats L',
    tar(
      gnuLong('L', 'by-gnu'),
      pax(['GNU.sparse.name=by-sparse', 'GNU.sparse.size=4', 'GNU.sparse.numblocks=1', 'GNU.sparse.map=0,4']),
      entry('s', {}, 'data'),
      tail,
    ),
  ],
  [
    'sparse-0.1-empty-map',
    'no block at all',
    tar(
      pax([
        'GNU.sparse.major=0',
        'GNU.sparse.minor=1',
        'GNU.sparse.size=10000',
        'GNU.sparse.numblocks=0',
        'GNU.sparse.map=',
      ]),
      entry('s'),
    ),
  ],
  [
    'sparse-0.1-count-wrong',
    'numblocks is not the map',
    tar(pax(['GNU.sparse.size=100', 'GNU.sparse.numblocks=2', 'GNU.sparse.map=0,4']), entry('s', {}, 'data')),
  ],
  [
    'sparse-0.1-count-absent',
    'no numblocks',
    tar(pax(['GNU.sparse.size=100', 'GNU.sparse.map=0,4']), entry('s', {}, 'data')),
  ],
  [
    'sparse-0.1-overlap',
    'regions that overlap',
    tar(pax(['GNU.sparse.size=100', 'GNU.sparse.numblocks=2', 'GNU.sparse.map=0,4,2,4']), entry('s', {}, 'datadata')),
  ],
  [
    'sparse-0.1-beyond',
    'a region beyond the size',
    tar(pax(['GNU.sparse.size=3', 'GNU.sparse.numblocks=1', 'GNU.sparse.map=0,4']), entry('s', {}, 'data')),
  ],
  [
    'sparse-0.1-overflow',
    'a region that overflows 64 bits',
    tar(
      pax(['GNU.sparse.size=9223372036854775807', 'GNU.sparse.numblocks=1', 'GNU.sparse.map=9223372036854775807,4']),
      entry('s', {}, 'data'),
    ),
  ],
  [
    'sparse-0.1-negative',
    'a negative region',
    tar(pax(['GNU.sparse.size=100', 'GNU.sparse.numblocks=1', 'GNU.sparse.map=-1,4']), entry('s', {}, 'data')),
  ],
  [
    'sparse-0.1-size-bad',
    'an unreadable size',
    tar(pax(['GNU.sparse.size=big', 'GNU.sparse.numblocks=1', 'GNU.sparse.map=0,4']), entry('s', {}, 'data')),
  ],
  [
    'sparse-0.1-realsize',
    'realsize where size is absent',
    tar(pax(['GNU.sparse.realsize=77', 'GNU.sparse.numblocks=1', 'GNU.sparse.map=0,4']), entry('s', {}, 'data')),
  ],
  [
    'sparse-0.1-data-short',
    'the header has less data than the map says: never read, so accepted',
    tar(pax(['GNU.sparse.size=100', 'GNU.sparse.numblocks=1', 'GNU.sparse.map=0,50']), entry('s', {}, 'data'), tail),
  ],
  [
    'sparse-0.1-on-dir',
    'on a directory',
    tar(pax(['GNU.sparse.size=100', 'GNU.sparse.numblocks=1', 'GNU.sparse.map=0,4']), entry('d', { type: '5' }), tail),
  ],
  [
    'sparse-1.0',
    'the map stands before the data, the offset after it',
    tar(
      pax(['GNU.sparse.major=1', 'GNU.sparse.minor=0', 'GNU.sparse.name=real-name', 'GNU.sparse.realsize=10000']),
      entry('s', {}, concat(sparseMap(2, 0, 4, 5000, 4), 'datadata')),
      tail,
    ),
  ],
  [
    'sparse-1.0-dense',
    'the same without a hole',
    tar(
      pax(['GNU.sparse.major=1', 'GNU.sparse.minor=0', 'GNU.sparse.name=real-name', 'GNU.sparse.realsize=4']),
      entry('s', {}, concat(sparseMap(1, 0, 4), 'data')),
      tail,
    ),
  ],
  [
    'sparse-1.0-last',
    'as the last entry: decodes, but the data is not what the offset says',
    tar(
      tail,
      pax(['GNU.sparse.major=1', 'GNU.sparse.minor=0', 'GNU.sparse.realsize=100']),
      entry('s', {}, concat(sparseMap(1, 90, 4), 'data')),
    ),
  ],
  [
    'sparse-1.0-map-2-blocks',
    'a map of more than one block',
    tar(
      pax(['GNU.sparse.major=1', 'GNU.sparse.minor=0', 'GNU.sparse.realsize=600000']),
      entry(
        's',
        {},
        concat(sparseMap(100, ...Array.from({ length: 100 }, (_, i) => [i * 5000, 1]).flat()), long(100, 'd')),
      ),
    ),
  ],
  [
    'sparse-1.0-map-zeros',
    'leading zeros and a plus sign in the map',
    tar(
      pax(['GNU.sparse.major=1', 'GNU.sparse.minor=0', 'GNU.sparse.realsize=4']),
      entry('s', {}, concat(sparseMap('+01', '000', '4'), 'data')),
      tail,
    ),
  ],
  [
    'sparse-1.0-map-bad',
    'a map that is no number',
    tar(
      pax(['GNU.sparse.major=1', 'GNU.sparse.minor=0', 'GNU.sparse.realsize=4']),
      entry('s', {}, concat(sparseMap('one', 0, 4), 'data')),
    ),
  ],
  [
    'sparse-1.0-map-short',
    'the data ends within the map',
    tar(pax(['GNU.sparse.major=1', 'GNU.sparse.minor=0', 'GNU.sparse.realsize=4']), entry('s', {}, '1\n0'), tail),
  ],
  [
    'sparse-1.0-map-huge-count',
    'a count that no map can have',
    tar(
      pax(['GNU.sparse.major=1', 'GNU.sparse.minor=0', 'GNU.sparse.realsize=4']),
      entry('s', {}, sparseMap('9223372036854775807')),
    ),
  ],
  [
    'sparse-1.0-map-negative-count',
    'a negative count',
    tar(pax(['GNU.sparse.major=1', 'GNU.sparse.minor=0', 'GNU.sparse.realsize=4']), entry('s', {}, sparseMap('-1'))),
  ],
  [
    'sparse-1.0-no-size',
    'no real size: the header counts',
    tar(pax(['GNU.sparse.major=1', 'GNU.sparse.minor=0']), entry('s', {}, concat(sparseMap(1, 0, 4), 'data')), tail),
  ],
  [
    'sparse-1.0-on-link',
    'on a link',
    tar(
      pax(['GNU.sparse.major=1', 'GNU.sparse.minor=0', 'GNU.sparse.realsize=4']),
      entry('l', { type: '2', linkname: 'x' }),
      tail,
    ),
  ],
  [
    'sparse-2.0',
    'an unknown version is no sparse file',
    tar(
      pax(['GNU.sparse.major=2', 'GNU.sparse.minor=0', 'GNU.sparse.name=n', 'GNU.sparse.realsize=9']),
      entry('s', {}, 'data'),
      tail,
    ),
  ],
  [
    'sparse-1.1',
    'nor is 1.1',
    tar(pax(['GNU.sparse.major=1', 'GNU.sparse.minor=1', 'GNU.sparse.map=0,4']), entry('s', {}, 'data'), tail),
  ],
  ['sparse-major-only', 'nor a major alone', tar(pax(['GNU.sparse.major=1']), entry('s', {}, 'data'), tail)],
]
