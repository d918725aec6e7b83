import { useRoute } from 'vitepress'
import DefaultTheme from 'vitepress/theme'
import { nextTick, onMounted, watch } from 'vue'
import './style.css'

export default {
  extends: DefaultTheme,
  setup() {
    const route = useRoute()
    onMounted(() =>
      watch(
        () => route.path,
        () => nextTick(nameMain),
        { immediate: true },
      ),
    )
  },
}

/** The layout of the home page has no main landmark, which screen readers jump to. */
function nameMain() {
  document.querySelector('#VPContent.is-home')?.setAttribute('role', 'main')
}
