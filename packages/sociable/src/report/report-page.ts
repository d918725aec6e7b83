// The report's HTML: one file that loads nothing. The data is gzip in base64, so nothing in an image can end a tag or start a script.
import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { PAGE_SCRIPT, PAGE_STYLE } from '../generated/report-page.js'
import type { ReportData } from './report-data.js'

export function reportPage(data: ReportData): string {
  const packed = gzipSync(JSON.stringify(data)).toString('base64')
  const hash = createHash('sha256').update(PAGE_SCRIPT).digest('base64')
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'sha256-${hash}'; style-src 'unsafe-inline'">
<title>${escapeHtml(data.image)} – sociable report</title>
<style>${PAGE_STYLE}</style>
</head>
<body>
<div id="report"><noscript>This report needs JavaScript. <code>sociable inspect</code> prints the same facts as text.</noscript></div>
<script type="text/plain" id="report-data">${packed}</script>
<script type="module">${PAGE_SCRIPT}</script>
</body>
</html>
`
}

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => ESCAPES[character]!)
}
