"""What every libcurl handle is set to, whatever it carries.

The one rule: nothing comes from the environment, and what was judged is what is sent.
"""

from typing import Final

import pycurl

IDLE_CONNECTION_S: Final = 60
CONNECTION_LIFE_S: Final = 300
"""A connection outlives a change of DNS by this much at most; its address is judged at every request all the same."""

ALWAYS: Final = {
    pycurl.POST: 1,  # with a body in memory: Content-Length, never chunks
    pycurl.HTTP_VERSION: pycurl.CURL_HTTP_VERSION_1_1,
    pycurl.FOLLOWLOCATION: 0,
    pycurl.PROXY: "",  # and no proxy variables of the environment
    pycurl.NOPROXY: "*",
    pycurl.NETRC: pycurl.NETRC_IGNORED,
    pycurl.PATH_AS_IS: 1,  # the URL that was judged and signed is the URL that is sent
    pycurl.HTTP09_ALLOWED: 0,
    pycurl.SSLVERSION: pycurl.SSLVERSION_TLSv1_2,
    pycurl.SSL_VERIFYPEER: 1,
    pycurl.SSL_VERIFYHOST: 2,
    pycurl.TCP_NODELAY: 1,
    pycurl.NOSIGNAL: 1,
    pycurl.MAXAGE_CONN: IDLE_CONNECTION_S,
    pycurl.MAXLIFETIME_CONN: CONNECTION_LIFE_S,
}
