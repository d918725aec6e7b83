import type { ReportData, ReportLayer } from '../src/report/report-data'
import { formatCount, formatShare, formatSize, plural, shortDigest } from './format'

/** All layers on one scale: each as a strip of its spans, those that the start reads in colour. */
export function Layers({ data }: { readonly data: ReportData }) {
  const largest = Math.max(1, ...data.layers.map(({ size }) => size))
  return (
    <section aria-labelledby="layers">
      <h2 id="layers">Layers</h2>
      <ul class="legend" aria-label="Colours of the strips">
        {data.profile !== undefined && (
          <li>
            <i class="swatch read" /> read by the start
          </li>
        )}
        <li>
          <i class="swatch lazy" /> lazy: fetched when read
        </li>
        <li>
          <i class="swatch eager" /> pulled whole
        </li>
      </ul>
      <ol class="layers" reversed>
        {data.layers
          .map((layer, index) => (
            <Layer
              key={layer.digest}
              layer={layer}
              index={index}
              largest={largest}
              profiled={data.profile !== undefined}
            />
          ))
          .reverse()}
      </ol>
    </section>
  )
}

interface LayerProps {
  readonly layer: ReportLayer
  readonly index: number
  readonly largest: number
  readonly profiled: boolean
}

function Layer({ layer, index, largest, profiled }: LayerProps) {
  const spanCount = layer.spans.length
  const read = touchedBytes(layer)
  const facts = [
    formatSize(layer.size),
    layer.unpacked > 0 ? `${formatSize(layer.unpacked)} unpacked` : '',
    plural(layer.files, 'file'),
    layer.lazy ? `${plural(spanCount, 'span')}, zTOC ${formatSize(layer.ztocSize)}` : '',
    layer.hiddenBytes > 0 ? `${formatSize(layer.hiddenBytes)} hidden by upper layers` : '',
  ].filter((fact) => fact !== '')
  return (
    <li value={index + 1}>
      <p class="layer-head">
        <code title={layer.digest}>{shortDigest(layer.digest)}</code> <b>{state(layer)}</b> {facts.join(' · ')}
        {profiled && layer.lazy && ` · the start reads ${formatSize(read)} (${formatShare(read, layer.size)})`}
      </p>
      {layer.createdBy !== undefined && <p class="created-by">{layer.createdBy}</p>}
      <Strip layer={layer} width={Math.max(1, (100 * layer.size) / largest)} />
    </li>
  )
}

function state(layer: ReportLayer): string {
  if (layer.isStartLayer) return 'start layer'
  return layer.lazy ? 'lazy' : `not lazy: ${layer.reason ?? 'it has no zTOC'}`
}

function touchedBytes({ spans, touched, size }: ReportLayer): number {
  return touched.reduce((sum, [first, last]) => sum + (spans[last + 1] ?? size) - spans[first]!, 0)
}

/** A strip is decoration: its figures stand in the line above it. */
function Strip({ layer, width }: { readonly layer: ReportLayer; readonly width: number }) {
  const { size, spans, touched } = layer
  const at = (offset: number) => ((1000 * offset) / Math.max(1, size)).toFixed(2)
  const isRead = new Set(
    touched.flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, i) => first + i)),
  )
  return (
    <svg class="strip" style={`width:${width}%`} viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true">
      {spans.length === 0 ? (
        <rect class="eager" width="1000" height="10" />
      ) : (
        spans.map((start, index) => (
          <rect
            key={start}
            class={isRead.has(index) ? 'read' : 'lazy'}
            x={at(start)}
            width={at((spans[index + 1] ?? size) - start)}
            height="10"
          />
        ))
      )}
    </svg>
  )
}

export const countLazy = (layers: readonly ReportLayer[]) => formatCount(layers.filter(({ lazy }) => lazy).length)
