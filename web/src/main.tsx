// Before everything that reads the address.
import "./address";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/layout.css";
import "./styles/lists.css";
import "./styles/score.css";
import "./styles/panel.css";
import "./styles/why.css";
import "./styles/rollout.css";
import "./styles/demo.css";
import "./styles/as-of.css";
import "./styles/evidence.css";
import "./styles/reach.css";
import "./styles/palette.css";
import "./styles/policy.css";
import "./styles/backtest.css";

import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { App } from "./app";
import { live } from "./live";
import { takeTokenFromAddress } from "./session";

// First of all, so that the token is out of the address bar before anything is shown or asked.
takeTokenFromAddress();
live.start();

const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
}
