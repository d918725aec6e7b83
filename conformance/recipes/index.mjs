// Every recipe as { layer, about, made, compression, spans, content }: the layer's file name, what is quirky, where it is made.
import { gzip } from '../lib/gzip.mjs'
import { blocks } from './gzip-blocks.mjs'
import { corrupt, others, truncated } from './gzip-damage.mjs'
import { headers } from './gzip-headers.mjs'
import { members } from './gzip-members.mjs'
import { few } from './sample.mjs'
import { plains, spanned } from './spans.mjs'
import { dialects } from './tar-dialects.mjs'
import { ends } from './tar-ends.mjs'
import { numbers, times } from './tar-numbers.mjs'
import { records } from './tar-records.mjs'
import { sparse } from './tar-sparse.mjs'
import { links, types } from './tar-types.mjs'

const tars = Object.entries({
  'tar-dialects': dialects,
  'tar-types': [...types, ...links],
  'tar-numbers': [...numbers, ...times],
  'tar-records': records,
  'tar-sparse': sparse,
  'tar-ends': ends,
}).flatMap(([file, recipes]) =>
  recipes.map(([name, about, content]) => ({ name: `tar-${name}`, about, content, made: `recipes/${file}.mjs` })),
)

const zipped = Object.entries({
  'gzip-headers': headers,
  'gzip-members': members,
  'gzip-blocks': blocks,
  'gzip-damage': [...corrupt, ...truncated, ...others],
}).flatMap(([file, list]) =>
  list.map(([name, about, content, spans = few]) => ({
    layer: `gzip-${name}.tar.gz`,
    about,
    content,
    compression: 'gzip',
    spans,
    made: `recipes/${file}.mjs`,
  })),
)

/** Which tar quirks stand uncompressed as well: the reading of tars is the same, so some of every kind. */
const alsoPlain = /^tar-(end|empty|zero|types|pax-path|sparse-1.0|gnu-long-name|names|mtime-fraction)/

export const recipes = [
  ...tars.map(({ name, content, ...rest }) => ({
    ...rest,
    layer: `${name}.tar.gz`,
    content: gzip(content),
    compression: 'gzip',
    spans: few,
  })),
  ...tars
    .filter(({ name, content }) => alsoPlain.test(name) && content.length <= 2560)
    .map(({ name, ...rest }) => ({ ...rest, layer: `${name}.tar`, compression: 'uncompressed', spans: [1000] })),
  ...zipped,
  ...spanned.map(([name, about, content, spans]) => ({
    layer: `${name}.tar.gz`,
    about,
    content,
    compression: 'gzip',
    spans,
    made: 'recipes/spans.mjs',
  })),
  ...plains.map(([name, about, content, spans]) => ({
    layer: `${name}.tar`,
    about,
    content,
    compression: 'uncompressed',
    spans,
    made: 'recipes/spans.mjs',
  })),
]
