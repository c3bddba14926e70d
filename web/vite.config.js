import { defineConfig } from "vite";

export default defineConfig({
  build: {
    target: "es2022",
    // The page's content security policy allows no data: addresses and no inline script.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  // For work on the page itself: a running Tenon answers the API.
  server: { proxy: { "/api": { target: process.env.TENON ?? "http://127.0.0.1:8420", changeOrigin: true } } },
});
