import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

// Only the page is built. Electron loads it from a file, so that its paths are relative.
export default defineConfig({
  root: 'page',
  base: './',
  plugins: [react()],
  build: { outDir: '../dist', emptyOutDir: true, target: 'chrome140' },
})
