import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { expectedError, run } from './processes.mjs'

const building = ['cmake', 'g++', 'libvpx-dev', 'make', 'pkg-config']

const needs = {
  build: building,
  demo: building,
  release: [...building, 'binutils', 'python3-pip'],
  test: [
    ...building,
    'baresip-core',
    'baresip-ffmpeg',
    'chromium',
    'coturn',
    'iproute2',
    'janus',
    'kamailio',
    'kamailio-presence-modules',
    'kamailio-tls-modules',
    'kamailio-websocket-modules',
    'libasound2-plugins',
    'microsocks',
    'nftables',
    'openssl',
    'pulseaudio',
    'pulseaudio-utils',
    'rtpengine-daemon',
    'sip-tester',
    'squid-openssl',
    'tinyproxy-bin',
    'tshark',
  ],
}

/** How to see that a Debian package, or its like on another system, is there. */
const probes = {
  'baresip-core': () => command('baresip'),
  'baresip-ffmpeg': () => existsSync('/usr/lib/baresip/modules/avcodec.so'),
  binutils: () => command('objdump'),
  chromium: () => command('chromium', 'chromium-browser', 'google-chrome-stable'),
  cmake: () => command('cmake'),
  coturn: () => command('turnserver'),
  'g++': () => command('g++', 'c++', 'clang++'),
  iproute2: () => command('ip'),
  janus: () => command('janus'),
  kamailio: () => command('kamailio'),
  'kamailio-presence-modules': () => kamailioModule('presence'),
  'kamailio-tls-modules': () => kamailioModule('tls'),
  'kamailio-websocket-modules': () => kamailioModule('websocket'),
  'libasound2-plugins': () => library('alsa-lib/libasound_module_pcm_pulse.so'),
  // Whoever names the folder has another one.
  'libvpx-dev': () => 'VPX_LIB_DIR' in process.env || library('libvpx.a'),
  microsocks: () => command('microsocks'),
  make: () => command('make', 'ninja'),
  nftables: () => command('nft'),
  openssl: () => command('openssl'),
  'python3-pip': () => command('pip3', 'pip'),
  'pkg-config': () => command('pkg-config', 'pkgconf'),
  pulseaudio: () => command('pulseaudio'),
  'pulseaudio-utils': () => command('pactl'),
  'rtpengine-daemon': () => command('rtpengine'),
  'sip-tester': () => command('sipp'),
  'squid-openssl': () => command('squid'),
  'tinyproxy-bin': () => command('tinyproxy'),
  tshark: () => command('tshark'),
}

/** Installs with apt what is missing, where that is allowed; resolves with what is still missing. */
export async function installPackages(purpose) {
  if (process.platform !== 'linux') return purpose === 'test' ? needs.test.filter(isMissing) : []
  const missing = needs[purpose].filter(isMissing)
  if (missing.length === 0) return []
  if (process.getuid() === 0 && command('apt-get')) await install(missing)
  const left = missing.filter(isMissing)
  if (left.length > 0) advise(left)
  return left
}

function isMissing(name) {
  return !probes[name]()
}

async function install(packages) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const letServersStart = forbidServers()
  try {
    await run('Updating the list of Debian packages', 'apt-get', ['update', '-q'], { env })
    const args = ['install', '-q', '-y', '--no-install-recommends', ...packages]
    await run(`Installing ${packages.join(', ')}`, 'apt-get', args, { env })
  } finally {
    letServersStart()
  }
}

// Debian starts a server when it is installed; invoke-rc.d asks this file first, and 101 forbids it.
function forbidServers() {
  const policy = '/usr/sbin/policy-rc.d'
  if (existsSync(policy)) return () => {}
  writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  return () => rmSync(policy, { force: true })
}

function advise(packages) {
  const line = `sudo apt-get update && sudo apt-get install -y ${packages.join(' ')}`
  const essential = packages.filter((name) => building.includes(name))
  if (essential.length > 0) throw expectedError(`To build, ${essential.join(', ')} must be installed:\n\n    ${line}\n`)
  console.warn(`\nMissing: ${packages.join(', ')}. To install:\n\n    ${line}\n`)
}

function command(...names) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']
  return names.some((name) => folders.some((folder) => folder && existsSync(join(folder, name))))
}

function kamailioModule(name) {
  return library(`kamailio/modules/${name}.so`) || existsSync(`/usr/lib64/kamailio/modules/${name}.so`)
}

function library(path) {
  const triples = existsSync('/usr/lib') ? readdirSync('/usr/lib').filter((name) => name.includes('-linux-')) : []
  return ['', ...triples].some((folder) => existsSync(join('/usr/lib', folder, path)))
}
