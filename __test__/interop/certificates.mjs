import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A certificate that signs itself, for localhost. */
export function selfSigned() {
  const folder = mkdtempSync(join(tmpdir(), 'offhook-certificate-'))
  try {
    execFileSync(
      'openssl',
      ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-keyout', 'key', '-out', 'cert', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'],
      { cwd: folder, stdio: 'pipe' },
    )
    return { cert: readFileSync(join(folder, 'cert'), 'utf8'), key: readFileSync(join(folder, 'key'), 'utf8') }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
