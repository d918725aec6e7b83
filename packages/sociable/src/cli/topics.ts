// Help topics: printed by `sociable help TOPIC` and included in docs/cli.md. Backticks are for the page; the terminal omits them.

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
          [
            'REGISTRY/NAME[:TAG]',
            'an image in a registry, with the same defaults and short names as docker (`docker.io`, `latest`)',
          ],
          [
            'oci:DIR[:TAG]',
            'an OCI image layout. Without a tag, its only image. Other images in the layout do not change',
          ],
          ['oci-archive:FILE[:TAG]', 'an OCI image layout in a tar file'],
          [
            'docker-archive:FILE[:NAME:TAG]',
            'an archive from `docker save`, optionally compressed with gzip; source only',
          ],
          ['-', 'an archive on standard input or output; for `ztoc`, a layer'],
        ],
      },
      'Add `@sha256:…` to any form to name a manifest by its digest. Source and destination can have different forms.',
    ],
  },
  {
    name: 'registries',
    title: 'Registries',
    parts: [
      'Images are converted in their registry. Manifests and the layers that need an index are read once. Layers are never uploaded again: they are already in the repository, or are mounted from another repository of the same registry. The tag is written last, so it keeps pointing to the old image until everything else is in place.',
      "A second run reads manifests only. For a new version of an image, only new layers are read: the zTOCs of the others are reused from the image at the destination and from `--cache-from`. By default, only zTOCs that `sociable` built, in the destination's own repository, are reused, and none from v1 indexes, because anyone with push rights can attach these. `--trust-ztocs` reuses them as well. `--force` indexes everything again.",
      "`create` attaches its index through the registry's referrers API, or through the fallback tag of the OCI specification if the registry has no such API. Tools that copy a single platform or ignore referrers lose SOCI indexes. `sociable copy` copies everything.",
      'An immutable tag cannot be moved to another image: choose another tag. With Amazon ECR, this is checked before any layer is read if the credentials allow ecr:DescribeRepositories. Otherwise, the command fails when it writes the tag.',
      'Temporary failures (408, 425, 429, 5xx, broken connections, stalls) are retried up to six times with growing delays, or after the delay in `Retry-After`. Other failures are final.',
      'The variables `HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY` (also with ranges such as `10.0.0.0/8`) and `NODE_EXTRA_CA_CERTS` are respected.',
      'Registries on this machine can use plain HTTP; for others, pass `--plain-http`. `--insecure` accepts any certificate. If a command names two registries, these flags apply to the one that needs them, and no credentials are sent to it. To send credentials, name the registry with `--plain-http-registry` or `--insecure-registry`.',
    ],
  },
  {
    name: 'credentials',
    title: 'Credentials',
    parts: [
      'Credentials come from these sources, in this order. If a registry refuses one, the next is tried:',
      {
        head: ['source', 'credentials'],
        rows: [
          [
            '--username, --password-stdin',
            "replace all others, for the destination's registry, or for the source's if the destination is not in a registry",
          ],
          ['DOCKER_AUTH_CONFIG', "the text in the variable, in the format of Docker's `config.json`"],
          ['REGISTRY_AUTH_FILE', "the file named by the variable, in the format of Docker's `config.json`"],
          [
            'config.json',
            "Docker's file in `DOCKER_CONFIG` or ~/.docker: credential helpers (`credHelpers`, `credsStore`) and `auths`",
          ],
          ['auth.json', "Podman's file"],
          [
            'Amazon ECR',
            "the AWS SDK's default credential chain (environment, profiles, SSO, container and instance roles), without `docker login`; also for public.ecr.aws",
          ],
        ],
      },
      'Without credentials, requests are anonymous. Credentials are sent only to their registry and to the token server that it names, and are never printed.',
    ],
  },
  {
    name: 'memory',
    title: 'Memory',
    parts: [
      'Layers are streamed, so memory depends on the number of layers that are indexed at a time (`--concurrency`, by default the number of cores), not on the size of the image. Each layer takes about 32 MiB plus 33 KiB for every span of its zTOC. Reading ahead from registries takes 64 MB in total.',
      '`--memory SIZE` limits it: a quarter, at most 40 MiB, is used for reading ahead, and the rest determines how many layers are indexed at a time (at least one). Larger spans (`--span-size`) need less memory. Temporary files are used only for archives from a pipe, for start layers, and for recompressed layers that go to stdout.',
    ],
  },
  {
    name: 'variables',
    title: 'Variables and sizes',
    parts: [
      'Every flag can also be set by an environment variable, for example `--span-size` by `SOCIABLE_SPAN_SIZE`. Flags take precedence. Switches take `1` or `0`. Separate list items by commas (in `SOCIABLE_PREFETCH_FILE`, write one path per line). An empty variable counts as unset. `NO_COLOR` and `FORCE_COLOR` are respected.',
      'Sizes are in bytes or have a unit: `4MiB` and `4M` are 4 × 1024² bytes, `4MB` is 4 × 1000² bytes.',
    ],
  },
  {
    name: 'output',
    title: 'Output',
    parts: [
      'Results go to stdout, everything else to stderr. On a terminal, stderr shows a progress bar per layer and a summary. In CI (`CI` or a variable of CodeBuild, Azure Pipelines, Jenkins or TeamCity is set) and with `--verbose`, it shows one line per finished layer and the summary. Otherwise, it shows only warnings and errors. Errors have one to three lines; `--verbose` adds the stack trace.',
      'With `--json`, stdout contains one JSON document, also if the command fails. A reader that closes stdout early (`| head`) does not cause an error.',
    ],
  },
  {
    name: 'windows',
    title: 'Windows and macOS',
    parts: [
      'Paths can have a drive (`oci:C:\\images\\app:1`, `oci:C:/images/app:1`), be on a share (`\\\\server\\share\\app`), or start with `\\\\?\\`. The colon of the drive does not separate a tag.',
      'Git Bash rewrites arguments that look like paths, so `/etc/os-release` becomes `C:/Program Files/Git/etc/os-release`. Leave out the first slash (`sociable cat IMAGE etc/os-release`), or set `MSYS_NO_PATHCONV=1`.',
      'PowerShell before 7.4 changes bytes in pipes and in `>`. Use `--output FILE` or a file as the destination, or run the pipe in `cmd /c "…"`.',
      '`sociable extract` skips files whose names Windows does not allow (`aux`, `a:b`, more than 255 characters) and, without the developer mode, symlinks. Directories whose names differ only in case are merged; of files, the first is kept. Everything that is skipped is reported.',
      'A file that a virus scanner or another program has open is replaced after up to one second.',
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
            'success. If no layer can be indexed, the destination is still written and the reason is printed, unless you pass `--require-index`',
          ],
          ['1', 'failure'],
          ['2', 'wrong usage: an unknown flag, an invalid value, an invalid image name'],
          [
            'by signal (130 for Ctrl-C)',
            'interrupted: the command ends within a second and leaves no incomplete output; a second Ctrl-C ends it at once',
          ],
        ],
      },
    ],
  },
]
