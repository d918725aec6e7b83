// What a platform's name means and which platforms are the same, as github.com/containerd/platforms v1.0.0-rc.5 has it (Parse, Normalize,
// OnlyStrict): the reference decides by it which manifest is indexed.
import type { Platform } from '@sociable/oci'
import { ImageError } from '../error.js'

const OS = /^([A-Za-z0-9_-]+)(?:\(([A-Za-z0-9_.%-]*)((?:\+[A-Za-z0-9_.%-]+)*)\))?$/
const COMPONENT = /^[A-Za-z0-9_.-]+$/

/**
 * `os/architecture[/variant]`, the os optionally with a version and features (`windows(10.0.17763+win32k)`), to a platform. Aliases become
 * the usual names; `linux/arm64` and `linux/arm` get no variant, `linux/arm64/v8` keeps its own.
 * @throws ImageError PLATFORM_NOT_FOUND where the text is not a platform
 */
export function parsePlatform(text: string): Platform {
  const parts = text.split('/')
  const os = OS.exec(parts[0]!)
  if (parts.length < 2 || parts.length > 3 || os === null || !parts.slice(1).every((part) => COMPONENT.test(part)))
    throw new ImageError(
      'PLATFORM_NOT_FOUND',
      `"${text}" is not a platform: write os/architecture or os/architecture/variant, such as linux/arm64`,
    )
  const canonical = normalizeArchitecture(parts[1]!, parts[2] ?? '')
  let variant = canonical.variant
  if (parts.length === 2 && canonical.architecture === 'arm' && variant === 'v7') variant = ''
  if (parts.length === 3 && canonical.architecture === 'arm64' && variant === '') variant = 'v8'
  const version = decodeOption(os[2] ?? '')
  const features = (os[3] ?? '').split('+').slice(1).map(decodeOption)
  return {
    architecture: canonical.architecture,
    os: normalizeOs(os[1]!),
    ...(version !== '' && { 'os.version': version }),
    ...(features.length > 0 && { 'os.features': features }),
    ...(variant !== '' && { variant }),
  }

  function decodeOption(value: string): string {
    try {
      return decodeURIComponent(value)
    } catch (cause) {
      throw new ImageError('PLATFORM_NOT_FOUND', `"${text}" is not a platform: "${value}" has a malformed %`, { cause })
    }
  }
}

/** The canonical form: `aarch64` → `arm64`, `arm64/v8` → `arm64`, `arm` → `arm/v7`; without an os it is linux; features sorted, each once. */
export function normalizePlatform(platform: Platform): Platform {
  const { architecture, variant } = normalizeArchitecture(platform.architecture, platform.variant ?? '')
  const { variant: _, 'os.features': features, ...rest } = platform
  return {
    ...rest,
    architecture,
    os: normalizeOs(platform.os),
    ...(features !== undefined && { 'os.features': sortByBytes([...new Set(features)]) }),
    ...(variant !== '' && { variant }),
  }
}

/** `linux/arm/v7`: os, architecture and variant as they are, without version or features. */
export function formatPlatform(platform: Platform): string {
  if (platform.os === '') return 'unknown'
  return [platform.os, platform.architecture, platform.variant ?? ''].filter((part) => part !== '').join('/')
}

/** Whether `candidate` is the platform `wanted`: same os, architecture and variant in canonical form, and no os feature that is not wanted. */
export function matchesPlatform(wanted: Platform, candidate: Platform): boolean {
  const a = normalizePlatform(wanted)
  const b = normalizePlatform(candidate)
  if (a.os !== b.os || a.architecture !== b.architecture || (a.variant ?? '') !== (b.variant ?? '')) return false
  const windows = a.os === 'windows'
  if (windows && !windowsVersionMatches(a['os.version'] ?? '', b['os.version'] ?? '')) return false
  const features = (b['os.features'] ?? []).filter((feature) => !(windows && feature === 'win32k'))
  return features.every((feature) => a['os.features']?.includes(feature))
}

/** The items without those whose platform matches that of an earlier one. */
export function distinctByPlatform<Item extends { readonly platform: Platform }>(items: readonly Item[]): Item[] {
  const distinct: Item[] = []
  for (const item of items)
    if (!distinct.some((earlier) => matchesPlatform(earlier.platform, item.platform))) distinct.push(item)
  return distinct
}

function sortByBytes(texts: readonly string[]): string[] {
  return [...texts].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
}

function normalizeOs(os: string): string {
  const lower = os.toLowerCase()
  return lower === '' ? 'linux' : lower === 'macos' ? 'darwin' : lower
}

function normalizeArchitecture(rawArchitecture: string, rawVariant: string): { architecture: string; variant: string } {
  const architecture = rawArchitecture.toLowerCase()
  const variant = rawVariant.toLowerCase()
  switch (architecture) {
    case 'i386':
      return { architecture: '386', variant: '' }
    case 'x86_64':
    case 'x86-64':
    case 'amd64':
      return { architecture: 'amd64', variant: variant === 'v1' ? '' : variant }
    case 'aarch64':
    case 'arm64':
      if (['8', 'v8', 'v8.0'].includes(variant)) return { architecture: 'arm64', variant: '' }
      return { architecture: 'arm64', variant: ['9', '9.0', 'v9.0'].includes(variant) ? 'v9' : variant }
    case 'armhf':
      return { architecture: 'arm', variant: 'v7' }
    case 'armel':
      return { architecture: 'arm', variant: 'v6' }
    case 'arm':
      if (variant === '' || variant === '7') return { architecture, variant: 'v7' }
      return { architecture, variant: ['5', '6', '8'].includes(variant) ? `v${variant}` : variant }
    default:
      return { architecture, variant }
  }
}

/** Windows Server releases whose images later hosts run too (Microsoft's version compatibility table). */
const WINDOWS_LTSC = [20348, 26100]

/** An unknown version matches all; hosts before Server 2022 need the same build, later ones run images since the LTSC before theirs. */
function windowsVersionMatches(host: string, image: string): boolean {
  const wanted = windowsVersion(host)
  if (wanted.every((part) => part === 0) || image === '') return true
  const [major, minor, build] = windowsVersion(image)
  if (wanted[0] !== major || wanted[1] !== minor) return false
  if (wanted[2] < WINDOWS_LTSC[0]!) return wanted[2] === build
  const release = WINDOWS_LTSC.findLastIndex((ltsc) => wanted[2] >= ltsc)
  return WINDOWS_LTSC[Math.max(0, release - 1)]! <= build && build <= wanted[2]
}

function windowsVersion(version: string): [number, number, number] {
  const parts = version.split('.')
  const limits = [255, 255, 65535]
  const numbers = limits.map((limit, i) =>
    /^\d+$/.test(parts[i] ?? '') && Number(parts[i]) <= limit ? Number(parts[i]) : -1,
  )
  return numbers.includes(-1) ? [0, 0, 0] : (numbers as [number, number, number])
}
