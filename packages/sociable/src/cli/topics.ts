// What there is to know beyond the single flags: shown by `sociable help TOPIC`, and part of docs/cli.md. Backticks are for the page; a terminal does without.

export interface Topic {
  /** What is typed. */
  readonly name: string
  readonly title: string
  readonly parts: readonly TopicPart[]
}

/** A paragraph, or a table of two columns. */
export type TopicPart = string | { readonly head: readonly [string, string]; readonly rows: readonly Row[] }
type Row = readonly [term: string, meaning: string]

export const TOPICS: readonly Topic[] = [
  {
    name: 'images',
    title: 'Images',
    parts: [
      {
        head: ['form', 'meaning'],
        rows: [
          ['REGISTRY/NAME[:TAG]', 'an image in a registry (`docker.io`, `latest` and short names as docker has them)'],
          [
            'oci:DIR[:TAG]',
            "an OCI image layout. Without a tag its only image; a layout's other images stay as they are",
          ],
          ['oci-archive:FILE[:TAG]', 'the same in a tar file'],
          ['docker-archive:FILE[:NAME:TAG]', 'what `docker save` writes, also with `| gzip`; a source only'],
          ['-', 'an archive on standard input or output; for `ztoc` a layer'],
        ],
      },
      'Each may end in `@sha256:…` to name a manifest by its digest. Source and destination may be of different kinds.',
    ],
  },
  {
    name: 'registries',
    title: 'Registries',
    parts: [
      'An image is converted where it is: manifests are read, and of the layers those that need an index, once. Layers never go back up; they are in the repository already, or are mounted from another of the same registry. The tag is written last, so whatever had it keeps it until all else is in place.',
      "A second run reads manifests only. Of a new version of the image it reads the layers that are new: it reuses the zTOCs of the others from the image at the destination and from `--cache-from`. It reuses only zTOCs that `sociable` made in the destination's own repository, and none of a v1 index, which anyone who may push can attach; `--trust-ztocs` reuses these, too. `--force` indexes everything again.",
      "`create` attaches its index by the registry's referrers API, else by the fallback tag of OCI's specification. Most tools that copy images leave behind what is attached to them, or drop what makes an index a SOCI index: `sociable copy` takes all of it.",
      'Where a tag is immutable, an image of another digest needs another tag. Amazon ECR is asked before any layer is read, if the login has ecr:DescribeRepositories; else, and with other registries, it shows when the tag is written.',
      "What may pass (408, 425, 429, 5xx, broken connections, stalls) is tried again up to six times, each with a longer pause, or with that which `Retry-After` asks for; all else fails at once. `HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY` (with ranges such as `10.0.0.0/8`) and `NODE_EXTRA_CA_CERTS` are used. This machine's registries may speak plain HTTP; for others use `--plain-http`. `--insecure` accepts any certificate. If a command names two registries, these flags hold for the one that needs them, and that one gets no login; to send a login, name the registry with `--plain-http-registry` or `--insecure-registry`.",
    ],
  },
  {
    name: 'credentials',
    title: 'Credentials',
    parts: [
      'Logins for registries are those of this machine. The first that has one for the registry is used, and where it is refused the next:',
      {
        head: ['from', 'what'],
        rows: [
          [
            '--username, --password-stdin',
            "in place of all others, for the destination's registry; where the destination is in none, for the source's",
          ],
          ['REGISTRY_AUTH_FILE', "the file that it names, in the form of `docker login`'s"],
          [
            'config.json',
            "Docker's, in `DOCKER_CONFIG` or ~/.docker: credential helpers (`credHelpers`, `credsStore`) and `auths`",
          ],
          ['auth.json', "podman's"],
          [
            'Amazon ECR',
            "the AWS SDK's default provider chain (environment, profiles, SSO, container and instance roles), with no login needed; for public.ecr.aws too",
          ],
        ],
      },
      'Without a login the registry is asked anonymously. No credential goes to another host than its registry and the token server that this names, and none is in any message.',
    ],
  },
  {
    name: 'memory',
    title: 'Memory',
    parts: [
      'Layers are read as streams: what a run takes depends on how many are indexed at once (`--concurrency`, by default the number of cores), and not on the size of the image. Each takes some 32 MiB, and 33 KiB for every span of its zTOC; reading ahead from registries takes 64 MB in all.',
      '`--memory SIZE` bounds it: a quarter, at most 40 MiB, is for reading ahead; fewer layers are indexed at once where the rest would not suffice, but never fewer than one. Larger spans (`--span-size`) make fewer of them. Nothing is written to disk on the way, but for an archive from a pipe.',
    ],
  },
  {
    name: 'variables',
    title: 'Variables and sizes',
    parts: [
      'Every flag can be set by an environment variable too: `--span-size` by `SOCIABLE_SPAN_SIZE`, and so on; the flag wins. Switches take `1` or `0`, lists commas (`SOCIABLE_PREFETCH_FILE`: a path a line), and an empty variable counts as unset. `NO_COLOR` and `FORCE_COLOR` are heeded.',
      'Sizes are bytes, or have a unit: `4MiB` and `4M` are 4 × 1024² bytes, `4MB` is 4 × 1000².',
    ],
  },
  {
    name: 'output',
    title: 'Output',
    parts: [
      'Results go to stdout, all else to stderr. On a terminal stderr shows a bar per layer and a summary; in CI (`CI` is set, or one of the variables of CodeBuild, Azure Pipelines, Jenkins and TeamCity), and with `--verbose`, a line per finished layer and the summary; otherwise only warnings and errors. An error has one to three lines; `--verbose` adds the stack.',
      'With `--json` stdout has one JSON document; a failure is one, too. A reader that closes stdout early (`| head`) is no error.',
    ],
  },
  {
    name: 'exit-status',
    title: 'Exit status',
    parts: [
      {
        head: ['status', 'meaning'],
        rows: [
          [
            '0',
            'done. Also where nothing could be indexed: the destination is made all the same and the reason printed, unless `--require-index`',
          ],
          ['1', 'failed'],
          ['2', "wrong usage: an unknown flag, a bad value, an image's name that is none"],
          [
            'by signal (130 for Ctrl-C)',
            'interrupted: within a second, with nothing half-made left behind; a second Ctrl-C ends at once',
          ],
        ],
      },
    ],
  },
]
