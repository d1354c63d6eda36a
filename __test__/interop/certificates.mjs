import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'key', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']

/** A certificate that signs itself, for localhost: for two days from now on. */
export function selfSigned() {
  return made((openssl) => openssl('req', '-x509', ...key, '-days', '2', '-out', 'cert'))
}

/** The same, from then on, as `20500101000000Z`, for a day. */
export function selfSignedFrom(begin) {
  return made((openssl, folder) => {
    writeFileSync(join(folder, 'index'), '')
    writeFileSync(join(folder, 'conf'), `[ca]
default_ca = own
[own]
new_certs_dir = .
database = index
rand_serial = yes
default_md = sha256
policy = any
copy_extensions = copy
[any]
commonName = supplied
`)
    openssl('req', '-new', ...key, '-out', 'request')
    const end = begin.replace(/\d{8}Z$/, (day) => String(Number(day.slice(0, 2)) + 1).padStart(2, '0') + day.slice(2))
    openssl('ca', '-batch', '-config', 'conf', '-selfsign', '-keyfile', 'key', '-in', 'request', '-out', 'cert', '-notext', '-startdate', begin, '-enddate', end)
  })
}

/** An authority, and what it has signed: a certificate of this machine for a server, one of somebody who connects, and one of somebody who does both. */
export function authority() {
  const folder = mkdtempSync(join(tmpdir(), 'offhook-authority-'))
  const openssl = (...command) => execFileSync('openssl', command, { cwd: folder, stdio: 'pipe' })
  const read = (name) => readFileSync(join(folder, name), 'utf8')
  const fresh = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  const signed = (name, usage) => {
    openssl('req', ...fresh, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`)
    writeFileSync(join(folder, 'extensions'), `basicConstraints=CA:FALSE\nextendedKeyUsage=${usage}\nsubjectAltName=DNS:localhost,IP:127.0.0.1\n`)
    openssl('x509', '-req', '-in', `${name}.csr`, '-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'extensions', '-out', `${name}.crt`)
    return { cert: read(`${name}.crt`), key: read(`${name}.key`) }
  }
  try {
    openssl('req', '-x509', ...fresh, '-days', '2', '-keyout', 'ca.key', '-out', 'ca.crt', '-subj', '/CN=authority', '-addext', 'basicConstraints=critical,CA:TRUE')
    return { ca: read('ca.crt'), server: signed('server', 'serverAuth'), client: signed('client', 'clientAuth'), both: signed('both', 'serverAuth,clientAuth') }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function made(make) {
  const folder = mkdtempSync(join(tmpdir(), 'offhook-certificate-'))
  try {
    make((...command) => execFileSync('openssl', command, { cwd: folder, stdio: 'pipe' }), folder)
    return { cert: readFileSync(join(folder, 'cert'), 'utf8'), key: readFileSync(join(folder, 'key'), 'utf8') }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
