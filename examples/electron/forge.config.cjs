const entitlements = { entitlements: 'entitlements.plist' }

module.exports = {
  packagerConfig: {
    // An addon is loaded from a real file.
    asar: { unpack: '**/node_modules/@offhook/**' },
    ignore: [/^\/release($|\/)/, /^\/page($|\/)/, /^\/(?:vite|forge)\.config/, /^\/(?:tsconfig|electron-builder)\.json$/],
    osxSign: { optionsForFile: () => entitlements },
    extendInfo: {
      NSMicrophoneUsageDescription: 'The other party of a call hears you.',
      NSCameraUsageDescription: 'The other party of a call sees you if you show your camera.',
    },
  },
  // The addon uses Node-API alone: there is nothing to rebuild for Electron.
  rebuildConfig: { onlyModules: [] },
  makers: [
    { name: '@electron-forge/maker-squirrel', platforms: ['win32'], config: {} },
    { name: '@electron-forge/maker-zip', platforms: ['darwin'], config: {} },
    { name: '@electron-forge/maker-deb', platforms: ['linux'], config: {} },
  ],
}
