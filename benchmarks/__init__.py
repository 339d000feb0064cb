from colorize_core.threads import wait_briefly

wait_briefly()  # as the app and the command line do, before torch comes
