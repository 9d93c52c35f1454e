import { mount } from "svelte";
import App from "./App.svelte";
import { desk } from "./lib/desk.svelte";
import "./style.css";

const target = document.getElementById("desk");
if (target === null) throw new Error("the page has no place for the desk");
mount(App, { target });
void desk.open();
