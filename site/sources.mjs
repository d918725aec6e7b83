// Which Markdown file of the repository is which page, and in which order the sidebar lists them.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const ROOT = fileURLToPath(new URL('..', import.meta.url))
export const PAGES = fileURLToPath(new URL('generated', import.meta.url))

/** Each is `[file, page]`, with a name for the sidebar if it is not the file's title. A folder in the place of a file adds its other Markdown files. */
const SECTIONS = [
  [
    'Start',
    [
      ['README.md', 'start/introduction', 'Introduction'],
      ['docs/getting-started.md', 'start/getting-started'],
    ],
  ],
  [
    'Fargate and AWS CDK',
    [
      ['packages/cdk-soci/README.md', 'guides/cdk', 'cdk-soci'],
      ['packages/cdk-soci/docs/lazy-loading.md', 'guides/fargate'],
      ['packages/cdk-soci/docs/publishing.md', 'guides/publishing', 'Publishing'],
      ['packages/cdk-soci/docs/on-push.md', 'guides/on-push', 'Every push'],
      ['packages/cdk-soci/docs/backfill.md', 'guides/backfill', 'Backfill'],
      ['packages/cdk-soci/docs/lifecycle.md', 'guides/lifecycle'],
      ['docs/costs.md', 'guides/costs'],
      ['packages/cdk-soci/docs/compute.md', 'guides/compute'],
      ['packages/cdk-soci/docs/sizes.md', 'guides/large-images-on-aws', 'Large images on AWS'],
      ['packages/cdk-soci/docs', 'guides'],
    ],
  ],
  [
    'Guides',
    [
      ['docs/containerd.md', 'guides/containerd', 'containerd and EKS'],
      ['docs/ci.md', 'guides/ci'],
      ['docs/docker.md', 'guides/docker'],
      ['docs/profiles.md', 'guides/profiles'],
      ['docs/start-layer.md', 'guides/start-layers', 'Start layers'],
      ['docs/large-images.md', 'guides/large-images'],
      ['docs/trust.md', 'guides/trust', 'Trust'],
      ['docs', 'guides'],
    ],
  ],
  [
    'Reference',
    [
      ['docs/troubleshooting.md', 'troubleshooting'],
      ['docs/cli.md', 'cli', 'Command line'],
      ['packages/sociable/README.md', 'library/sociable/guide', 'Library: sociable'],
      ['packages/oci/README.md', 'library/oci/guide', 'Library: @sociable/oci'],
      ['packages/ztoc/README.md', 'library/ztoc/guide', 'Library: @sociable/ztoc'],
      ['docs/benchmarks.md', 'benchmarks'],
      ['docs/formats-notes.md', 'formats'],
      ['conformance/README.md', 'conformance', 'Conformance'],
      ['CHANGELOG.md', 'changelog'],
    ],
  ],
]
/** Split into a page for each type, by constructs.mjs. */
export const CONSTRUCTS = 'packages/cdk-soci/docs/api.md'

/** What programs import: its types become pages in the folder. */
export const LIBRARIES = [
  { name: 'sociable', entry: 'packages/sociable/src/index.ts', folder: 'library/sociable' },
  { name: '@sociable/oci', entry: 'packages/oci/src/index.ts', folder: 'library/oci' },
  { name: '@sociable/oci/registry', entry: 'packages/oci/src/registry/registry.ts', folder: 'library/oci-registry' },
  { name: '@sociable/ztoc', entry: 'packages/ztoc/src/index.ts', folder: 'library/ztoc' },
]

/** @typedef {{ readonly file: string, readonly page: string, readonly title: string }} Source */

/** @returns {{ readonly title: string, readonly sources: readonly Source[] }[]} */
export function sections() {
  const taken = new Set([CONSTRUCTS, ...SECTIONS.flatMap(([, entries]) => entries.map(([file]) => file))])
  return SECTIONS.map(([title, entries]) => ({
    title,
    sources: entries.flatMap(([file, page, name]) =>
      file.endsWith('.md') ? [source(file, page, name)] : others(file, page, taken),
    ),
  }))
}

function others(folder, under, taken) {
  const names = readdirSync(`${ROOT}/${folder}`).filter(
    (name) => name.endsWith('.md') && !taken.has(`${folder}/${name}`),
  )
  return names.map((name) => source(`${folder}/${name}`, `${under}/${name.replace(/\.md$/, '')}`))
}

function source(file, page, name) {
  const title = name ?? /^# (.+)$/m.exec(readFileSync(`${ROOT}/${file}`, 'utf8'))?.[1]
  if (title === undefined) throw new Error(`${file} has no title: begin it with "# "`)
  return { file, page, title: title.replaceAll('`', '') }
}

const REPOSITORY = 'https://github.com/sociable/sociable'

/**
 * Where a link of one of the repository's files leads on the site: to a page, or to the repository on GitHub.
 * @param {string} link as it is written
 * @param {string} file that has it
 * @param {ReadonlyMap<string, string>} pages page by file; a folder stands for its README
 */
export function resolveLink(link, file, pages) {
  if (/^(?:[a-z]+:|#|\/)/.test(link)) return link
  const [path, hash = ''] = link.split(/(?=#)/)
  const target = decodeURI(new URL(path, `file:///${file}`).pathname).replace(/^\/|\/$/g, '')
  const page = pages.get(target) ?? pages.get(`${target}/README.md`)
  if (page !== undefined) return `/${page}${hash}`
  if (!existsSync(`${ROOT}/${target}`)) throw new Error(`${file} links to ${link}, which does not exist`)
  return `${REPOSITORY}/tree/main/${target}${hash}`
}
