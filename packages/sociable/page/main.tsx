import { render } from 'preact'
import { useState } from 'preact/hooks'
import type { ReportData, ReportStart } from '../src/report/report-data'
import { loadData } from './data'
import { Files } from './files'
import { formatCount, formatShare, formatSize, plural } from './format'
import { countLazy, Layers } from './layers'

function Page({ data }: { readonly data: ReportData }) {
  const size = data.layers.reduce((sum, layer) => sum + layer.size, 0)
  return (
    <>
      <header>
        <h1>{data.image}</h1>
        <p>
          {data.platform} · <code>{data.digest}</code>
        </p>
      </header>
      <main>
        <Summary data={data} size={size} />
        {data.starts.length > 0 && <Starts starts={data.starts} />}
        <Layers data={data} />
        <Files data={data} />
        <Wastes data={data} />
        <Commands data={data} />
      </main>
      <footer>Made by sociable. This page is complete in itself: it loads nothing from the network.</footer>
    </>
  )
}

function Summary({ data, size }: { readonly data: ReportData; readonly size: number }) {
  const { layers, profile, fargate } = data
  const lazyBytes = layers.filter(({ lazy }) => lazy).reduce((sum, layer) => sum + layer.size, 0)
  return (
    <section aria-labelledby="summary">
      <h2 id="summary">Summary</h2>
      <dl class="cards">
        <Card term="Image" value={formatSize(size)} note={`compressed, ${plural(layers.length, 'layer')}`} />
        <Card
          term="Lazy"
          value={formatShare(lazyBytes, size)}
          note={
            data.sociVersion === undefined
              ? 'it has no SOCI index'
              : `${countLazy(layers)} of ${plural(layers.length, 'layer')}, SOCI ${data.sociVersion}`
          }
        />
        {profile !== undefined && (
          <Card
            term="A start reads"
            value={formatSize(profile.spanBytes)}
            note={`${formatShare(profile.spanBytes, size)} of the image, ${plural(profile.files, 'file')}${
              profile.missing > 0 ? `; ${formatCount(profile.missing)} of the profile are missing` : ''
            }`}
          />
        )}
        <Card
          term="AWS Fargate"
          value={fargate.eligible ? (fargate.inEcr ? 'eligible' : 'eligible once it is in Amazon ECR') : 'not eligible'}
          note={[...fargate.reasons, ...fargate.notes].join('; ')}
        />
      </dl>
    </section>
  )
}

function Card({ term, value, note }: { readonly term: string; readonly value: string; readonly note: string }) {
  return (
    <div>
      <dt>{term}</dt>
      <dd>
        <b>{value}</b> <span>{note}</span>
      </dd>
    </div>
  )
}

function Starts({ starts }: { readonly starts: readonly ReportStart[] }) {
  const slowest = Math.max(...starts.map(({ seconds }) => seconds))
  return (
    <section aria-labelledby="starts">
      <h2 id="starts">Predicted start</h2>
      <p>
        Over 60 MB/s and 3 ms, for a program that computes for half a second. <code>sociable simulate</code> compares
        more ways and other networks.
      </p>
      <table class="starts">
        <thead>
          <tr>
            <th scope="col">Image</th>
            <th scope="col" class="number">
              Seconds
            </th>
            <th scope="col" class="number">
              Fetched
            </th>
            <th scope="col" class="number">
              Requests
            </th>
          </tr>
        </thead>
        <tbody>
          {starts.map((start) => (
            <tr key={start.name}>
              <th scope="row">
                {start.name}
                {start.isCurrent && ' (this image)'}
                <i class="bar" style={`width:${(100 * start.seconds) / slowest}%`} />
              </th>
              <td class="number">{start.seconds.toFixed(1)}</td>
              <td class="number">{formatSize(start.bytes)}</td>
              <td class="number">{formatCount(start.requests)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

function Wastes({ data }: { readonly data: ReportData }) {
  return (
    <section aria-labelledby="wastes">
      <h2 id="wastes">What could be smaller</h2>
      {data.wastes.length === 0 && <p>Nothing stands out.</p>}
      <ul class="wastes">
        {data.wastes.map((waste) => (
          <li key={waste.title}>
            <b>{waste.bytes > 0 ? formatSize(waste.bytes) : ''}</b> {waste.title} <span>{waste.detail}</span>
          </li>
        ))}
      </ul>
    </section>
  )
}

function Commands({ data }: { readonly data: ReportData }) {
  const [copied, setCopied] = useState('')
  const copy = async (command: string) => {
    await navigator.clipboard.writeText(command).catch(() => {})
    setCopied(command)
  }
  return (
    <section aria-labelledby="commands">
      <h2 id="commands">Commands</h2>
      <ul class="commands">
        {data.commands.map(({ command, does }) => (
          <li key={command}>
            <p>{does}</p>
            {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a line that scrolls must be reachable by keyboard */}
            <pre tabIndex={0}>{command}</pre>
            <button type="button" onClick={() => copy(command)}>
              Copy<span class="hidden"> {command}</span>
            </button>
          </li>
        ))}
      </ul>
      <p aria-live="polite" class="hidden">
        {copied !== '' && `Copied: ${copied}`}
      </p>
    </section>
  )
}

render(<Page data={await loadData()} />, document.getElementById('report')!)
document.documentElement.dataset.ready = 'true'
